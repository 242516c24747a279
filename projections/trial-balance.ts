import type { Entry } from './account-entries.ts'
import type { Account } from './accounts.ts'
import { allDocuments } from './all-pages.ts'
import { accountId, ledgerStream } from './ledger-ids.ts'
import { byId } from './projection.ts'
import type { Build, PageKey } from './read-model-store.ts'

/** Documents read at once; other work goes on between two pages. */
const pageSize = 500

/** What all balances of one asset come to, in minor units. `sum` is zero in a whole ledger. */
export interface AssetTotal {
  readonly positive: bigint
  readonly negative: bigint
  readonly sum: bigint
  /** Accounts that ever had the asset. */
  readonly accounts: number
}

export type Totals = ReadonlyMap<string, AssetTotal>

export interface TrialBalance {
  /** The revision that all balances are of. */
  readonly revision: bigint
  readonly total: Totals
  /** By the first segments of the addresses, where a depth was asked for. */
  readonly byPrefix: ReadonlyMap<string, Totals>
}

export interface TrialBalanceOptions {
  /** Without it, as far as the build has come. */
  readonly atRevision?: bigint
  /** Only addresses that begin with it. */
  readonly prefix?: string
  /** Segments of an address to group by. */
  readonly depth?: number
}

/**
 * The balances of a ledger at one revision, however much is written meanwhile: accounts that have
 * changed since take their balance from their last entry up to it. `undefined` where the build has
 * not come that far, or does not know the ledger.
 */
export async function trialBalance(
  build: Pick<Build, 'find' | 'progress'>,
  ledger: string,
  { atRevision, prefix = '', depth }: TrialBalanceOptions = {},
): Promise<TrialBalance | undefined> {
  const stream = ledgerStream(ledger)
  const progress = await build.progress(stream) // before the documents, which may be ahead of it
  const revision = atRevision ?? progress
  if (progress === undefined || revision === undefined || progress < revision) return undefined
  const total = new Map<string, AssetTotal>()
  const byPrefix = new Map<string, Map<string, AssetTotal>>()

  const inLedger = { collection: 'accounts', index: byId, equals: [], limit: pageSize }
  const documents = allDocuments(build, { ...inLedger, prefix: accountId(stream, prefix) })
  for await (const document of documents) {
    const account = JSON.parse(document.body) as Account
    const balances =
      document.revision <= revision
        ? balancesNow(account)
        : await balancesAt(build, account, revision)
    for (const [asset, balance] of balances) {
      add(total, asset, balance)
      if (depth !== undefined) add(groupOf(byPrefix, account.account, depth), asset, balance)
    }
  }
  return { revision, total, byPrefix }
}

const balancesNow = ({ balances }: Account): [string, bigint][] =>
  Object.entries(balances).map(([asset, { balance }]) => [asset, BigInt(balance)])

/** What an account had at a revision before its last change, from its entries, latest first. */
export async function balancesAt(
  build: Pick<Build, 'find'>,
  { ledger, account, balances }: Account,
  revision: bigint,
): Promise<[string, bigint][]> {
  const found: [string, bigint][] = []
  const missing = new Set<string>()
  for (const [asset, { balance, changedRevision }] of Object.entries(balances)) {
    if (BigInt(changedRevision) <= revision) found.push([asset, BigInt(balance)])
    else missing.add(asset)
  }
  let after: PageKey | undefined
  while (missing.size > 0) {
    const page = await build.find({
      ...{ collection: 'entries', index: 'by-account', equals: [ledger, account] },
      ...{ direction: 'backward', to: Number(revision) + 1 },
      limit: missing.size === 1 && !after ? 1 : pageSize,
      ...(after ? { after } : {}),
    })
    for (const { body } of page.documents) {
      const { asset, balance } = JSON.parse(body) as Entry
      if (missing.delete(asset)) found.push([asset, BigInt(balance)])
    }
    after = page.next
    if (!after) break // the rest came later
  }
  return found
}

function add(totals: Map<string, AssetTotal>, asset: string, balance: bigint): void {
  const before = totals.get(asset) ?? { positive: 0n, negative: 0n, sum: 0n, accounts: 0 }
  totals.set(asset, {
    positive: before.positive + (balance > 0n ? balance : 0n),
    negative: before.negative + (balance < 0n ? balance : 0n),
    sum: before.sum + balance,
    accounts: before.accounts + 1,
  })
}

function groupOf(
  groups: Map<string, Map<string, AssetTotal>>,
  account: string,
  depth: number,
): Map<string, AssetTotal> {
  const name = account.split(':').slice(0, depth).join(':')
  const group = groups.get(name) ?? new Map<string, AssetTotal>()
  groups.set(name, group)
  return group
}
