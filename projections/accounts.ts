import type { Decoded } from '../events/codec.ts'
import {
  type LedgerEvent,
  ledgerCategory,
  ledgerCodec,
  type Overdrafts,
  type TransactionPosted,
} from '../events/ledger.ts'
import { accountEntries, entriesFrom } from './account-entries.ts'
import { accountsOf, addressIn, legsOf } from './account-legs.ts'
import { accountMonths } from './account-months.ts'
import { accountId, ledgerOf } from './ledger-ids.ts'
import type { Collection, Projection } from './projection.ts'
import { tagsOf } from './tags.ts'

/** An account's position in one asset: `balance` = `in` − `out`, `available` = `balance` − `held`. */
export type AssetBalance = {
  readonly balance: string
  readonly available: string
  readonly held: string
  readonly in: string
  readonly out: string
  /** Entries in this asset. */
  readonly count: number
  readonly changedAt: string
  readonly changedRevision: string
}

export type Account = {
  readonly ledger: string
  readonly account: string
  readonly status: 'open'
  readonly overdrafts: Overdrafts
  readonly metadata: Readonly<Record<string, string>>
  readonly openedAt: string
  readonly openedRevision: string
  readonly balances: Readonly<Record<string, AssetBalance>>
}

/** An account in memory: its balances as numbers that change in place. */
export type AccountInMemory = Omit<Account, 'balances'> & {
  overdrafts: Overdrafts
  readonly balances: Record<string, Balance>
}

/** What moved in one asset; the balance is the difference. */
interface Balance {
  in: bigint
  out: bigint
  held: bigint
  count: number
  changedAt: string
  changedRevision: bigint
}

const accountDocuments: Collection<LedgerEvent, AccountInMemory> = {
  name: 'accounts',
  isFinal: false,
  indexes: [
    { name: 'by-asset', fields: ['ledger', 'asset'], manyOf: 'asset' },
    { name: 'by-status', fields: ['ledger', 'status'] },
    { name: 'by-tag', fields: ['ledger', 'tag'], manyOf: 'tag' },
  ],
  keys: ({ ledger, balances, status, metadata }) => ({
    ledger,
    asset: Object.keys(balances),
    status,
    tag: tagsOf(metadata),
  }),
  idsOf: (event) => accountsOf(event).map((account) => accountId(event.stream, account)),
  check(account, event, id) {
    if (!account && event.type !== 'AccountOpened') {
      throw new Error(`account ${addressIn(id)} was never opened`)
    }
  },
  evolve(account, event) {
    if (event.type === 'AccountOpened' || !account) return opened(event)
    if (event.type === 'OverdraftSet') {
      const { asset, overdraft } = event.data
      account.overdrafts = { ...account.overdrafts, [asset]: overdraft }
    } else if (event.type === 'TransactionPosted') {
      addLegs(account, event)
    }
    return account
  },
  finals: (after, event) => entriesFrom(after, event),
  form: {
    write: (account) =>
      JSON.stringify({ ...account, balances: mapValues(account.balances, shown) }),
    read(text) {
      const account = JSON.parse(text) as Account
      return { ...account, balances: mapValues(account.balances, remembered) }
    },
  },
}

function opened(event: Decoded<LedgerEvent>): AccountInMemory {
  if (event.type !== 'AccountOpened') throw new Error(`${event.type} opens no account`)
  const { account, overdrafts = {}, metadata = {} } = event.data
  return {
    ledger: ledgerOf(event.stream),
    account,
    status: 'open',
    overdrafts,
    metadata,
    openedAt: event.metadata.recordedAt,
    openedRevision: event.revision.toString(),
    balances: {},
  }
}

function addLegs({ account, balances }: AccountInMemory, event: Decoded<TransactionPosted>): void {
  const changed = { changedAt: event.metadata.recordedAt, changedRevision: event.revision }
  for (const { asset, direction, amount } of legsOf(event.data.postings, account)) {
    balances[asset] ??= { in: 0n, out: 0n, held: 0n, count: 0, ...changed }
    const balance = balances[asset]
    balance[direction] += BigInt(amount)
    balance.count += 1
    balance.changedAt = changed.changedAt
    balance.changedRevision = changed.changedRevision
  }
}

function shown({ in: come, out: gone, held, ...rest }: Balance): AssetBalance {
  const balance = come - gone
  return {
    balance: balance.toString(),
    available: (balance - held).toString(),
    held: held.toString(),
    in: come.toString(),
    out: gone.toString(),
    count: rest.count,
    changedAt: rest.changedAt,
    changedRevision: rest.changedRevision.toString(),
  }
}

const remembered = ({
  held,
  count,
  changedAt,
  changedRevision,
  ...sums
}: AssetBalance): Balance => ({
  in: BigInt(sums.in),
  out: BigInt(sums.out),
  held: BigInt(held),
  count,
  changedAt,
  changedRevision: BigInt(changedRevision),
})

const mapValues = <V, W>(record: Readonly<Record<string, V>>, map: (value: V) => W) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))

/**
 * Balances, statements and sums by day. They are one build, written together, so that a balance and
 * the entries that explain it never disagree.
 */
export const accounts: Projection<LedgerEvent> = {
  name: 'accounts',
  version: 1,
  category: ledgerCategory,
  codec: ledgerCodec,
  collections: [accountDocuments, accountEntries, accountMonths],
}
