/**
 * The last balance of every account, in hellers, from the text of `trans-1993.asc` alone. It shares
 * nothing with the import and goes another way: of the rows of an account's last day, the last is
 * the one whose balance is what all amounts of the account add up to, give or take the roundings.
 * @throws where no row, or more than one, fits
 */
export function finalBalances(text: string): ReadonlyMap<string, bigint> {
  const accounts = new Map<string, { sum: bigint; rows: number; day: string; ends: bigint[] }>()
  for (const line of text.split('\r\n').slice(1)) {
    if (line === '') continue
    const [, account = '', day = '', type, , amount = '', balance = ''] = line.split(';')
    const moved = hellers(amount)
    const known = accounts.get(account) ?? { sum: 0n, rows: 0, day: '', ends: [] }
    if (day > known.day) Object.assign(known, { day, ends: [] })
    if (day === known.day) known.ends.push(hellers(balance))
    known.sum += type === '"PRIJEM"' ? moved : -moved
    known.rows += 1
    accounts.set(account, known)
  }
  return new Map(
    [...accounts].map(([account, { sum, rows, ends }]) => {
      const largestRounding = 10n * BigInt(rows)
      const fitting = new Set(ends.filter((end) => distance(end, sum) <= largestRounding))
      const [end] = fitting
      if (end === undefined || fitting.size > 1) {
        throw new Error(
          `account ${account}: ${fitting.size} rows of its last day could be the last`,
        )
      }
      return [account, end]
    }),
  )
}

const hellers = (text: string): bigint => BigInt(text.replace('.', ''))

const distance = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a)
