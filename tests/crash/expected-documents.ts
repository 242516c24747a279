import type { Logged } from './logged.ts'

export type Fields = Readonly<Record<string, unknown>>

/** Documents by collection and id, each with the fields that are compared. */
export type Documents = Map<string, Fields>

interface Sums {
  in: bigint
  out: bigint
  count: number
  changedAt: string
  changedRevision: string
}

interface Account {
  readonly overdrafts: Record<string, string>
  readonly assets: Map<string, Sums>
  /** By asset and day. */
  readonly days: Map<string, Pick<Sums, 'in' | 'out' | 'count'>>
}

type Posted = Extract<Logged['event'], { type: 'TransactionPosted' }>['data']

/** What all documents must be, from the design's words alone: no code of the projections is in it. */
export function expectedDocuments(log: readonly Logged[]): Documents {
  const documents: Documents = new Map()
  const accounts = new Map<string, Account>()
  const counts = new Map<string, { accounts: number; transactions: number }>()
  for (const logged of log) {
    const { stream, event } = logged
    if (!stream.startsWith('ledger-')) continue
    const count = counts.get(stream) ?? { accounts: 0, transactions: 0 }
    counts.set(stream, count)
    switch (event.type) {
      case 'AccountOpened': {
        count.accounts += 1
        const overdrafts = { ...event.data.overdrafts }
        accounts.set(`${stream}/${event.data.account}`, {
          ...{ overdrafts, assets: new Map(), days: new Map() },
        })
        break
      }
      case 'OverdraftSet': {
        const account = accounts.get(`${stream}/${event.data.account}`)
        if (account) account.overdrafts[event.data.asset] = event.data.overdraft
        break
      }
      case 'TransactionPosted':
        count.transactions += 1
        post(logged, event.data, accounts, documents)
    }
  }
  for (const [stream, count] of counts) documents.set(`ledgers ${stream}`, count)
  for (const [id, account] of accounts) addAccount(documents, id, account)
  return documents
}

function post(
  { stream, revision, metadata }: Logged,
  { id, postings, effectiveAt }: Posted,
  accounts: ReadonlyMap<string, Account>,
  documents: Documents,
): void {
  const at = revision.toString()
  documents.set(`transactions ${stream}/${id}`, { id, postings, effectiveAt, revision: at })
  const sides = postings.flatMap(({ from, to, asset, amount }, posting) => [
    { posting, account: from, counterparty: to, direction: 'out' as const, asset, amount },
    { posting, account: to, counterparty: from, direction: 'in' as const, asset, amount },
  ])
  for (const { account, direction, asset, amount } of sides) {
    const { assets, days } = accounts.get(`${stream}/${account}`) ?? nobody(account)
    const sums = assets.get(asset) ?? { ...none, changedAt: '', changedRevision: '' }
    const ofDay = days.get(`${asset} ${effectiveAt.slice(0, 10)}`) ?? { ...none }
    for (const one of [sums, ofDay]) {
      one[direction] += BigInt(amount)
      one.count += 1
    }
    assets.set(asset, { ...sums, changedAt: metadata.recordedAt, changedRevision: at })
    days.set(`${asset} ${effectiveAt.slice(0, 10)}`, ofDay)
  }
  for (const { posting, account, direction, asset, amount, counterparty } of sides) {
    const sums = accounts.get(`${stream}/${account}`)?.assets.get(asset)
    documents.set(`entries ${stream}/${inOrder(at)}/${inOrder(String(posting))}/${account}`, {
      ...{ account, asset, amount, direction, counterparty, posting, transaction: id },
      ...{ balance: sums && String(sums.in - sums.out), revision: at },
    })
  }
}

const none = { in: 0n, out: 0n, count: 0 }

const nobody = (account: string): never => {
  throw new Error(`${account} was posted to before it was opened`)
}

/** Numbers in ids sort by their value: the count of digits comes first, as a letter. */
const inOrder = (digits: string): string => `${' abcdefghijklmnop'[digits.length]}${digits}`

function addAccount(documents: Documents, id: string, { overdrafts, assets, days }: Account): void {
  const balances = [...assets].map(([asset, { in: sumIn, out, ...rest }]) => {
    const balance = String(sumIn - out)
    const shown = { balance, available: balance, held: '0', in: String(sumIn), out: String(out) }
    return [asset, { ...shown, ...rest }]
  })
  documents.set(`accounts ${id}`, { overdrafts, balances: Object.fromEntries(balances) })
  const byMonth = Map.groupBy(days, ([key]) => key.slice(0, -'-DD'.length).replace(' ', '/'))
  for (const [month, ofMonth] of byMonth) {
    const shown = ofMonth.map(([key, { in: sumIn, out, count }]) => ({
      ...{ day: key.slice(-'YYYY-MM-DD'.length), in: String(sumIn), out: String(out), count },
    }))
    documents.set(`months ${id}/${month}`, { days: shown.sort((a, b) => (a.day < b.day ? -1 : 1)) })
  }
}
