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
import { minus, plus } from './money.ts'
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

const accountDocuments: Collection<LedgerEvent, Account> = {
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
  evolve(account, event, id) {
    if (event.type === 'AccountOpened') return opened(event)
    if (!account) throw new Error(`account ${addressIn(id)} was never opened`)
    switch (event.type) {
      case 'LedgerCreated':
        return account
      case 'OverdraftSet': {
        const { asset, overdraft } = event.data
        return { ...account, overdrafts: { ...account.overdrafts, [asset]: overdraft } }
      }
      case 'TransactionPosted':
        return { ...account, balances: withLegs(account, event) }
    }
  },
  finals: (after, event) => entriesFrom(after, event),
}

function opened(event: Decoded<LedgerEvent & { type: 'AccountOpened' }>): Account {
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

function withLegs(
  { account, balances }: Account,
  event: Decoded<TransactionPosted>,
): Account['balances'] {
  const after: Record<string, AssetBalance> = { ...balances }
  for (const { asset, direction, amount } of legsOf(event.data.postings, account)) {
    const before = after[asset] ?? nothing
    const balance = (direction === 'in' ? plus : minus)(before.balance, amount)
    after[asset] = {
      balance,
      available: before.held === '0' ? balance : minus(balance, before.held),
      held: before.held,
      in: direction === 'in' ? plus(before.in, amount) : before.in,
      out: direction === 'out' ? plus(before.out, amount) : before.out,
      count: before.count + 1,
      changedAt: event.metadata.recordedAt,
      changedRevision: event.revision.toString(),
    }
  }
  return after
}

const nothing = { balance: '0', held: '0', in: '0', out: '0', count: 0 }

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
