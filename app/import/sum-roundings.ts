import type { ImportReport, RoundingSum } from './import-report.ts'
import type { ReconciledMovement } from './reconcile.ts'

/** What was rounded, by the account on the other side: this tells which of a bank's sums it rounds. */
export function sumRoundings(
  movements: readonly ReconciledMovement[],
  account: string | undefined,
): ImportReport['rounding'] {
  const sums = new Map<
    string,
    { counterAccount: string; asset: string; rows: number; sum: bigint }
  >()
  let rows = 0
  for (const { movement, rounding } of movements) {
    if (rounding === 0n) continue
    rows += 1
    const counterAccount = groupOf(movement.counterAccount)
    const { asset } = movement
    const key = `${counterAccount} ${asset}`
    const known = sums.get(key) ?? { counterAccount, asset, rows: 0, sum: 0n }
    known.rows += 1
    known.sum += rounding
    sums.set(key, known)
  }
  const parts = [...sums.values()]
    .sort((a, b) => b.rows - a.rows || (a.counterAccount < b.counterAccount ? -1 : 1))
    .map((part): RoundingSum => ({ ...part, sum: part.sum.toString() }))
  return { account, rows, parts }
}

/** Accounts of more than two segments are told together, which keeps the list short: `external:…`. */
function groupOf(account: string): string {
  const [first = '', second, ...more] = account.split(':')
  return second !== undefined && more.length > 0 ? `${first}:…` : account
}
