import type { Decoded } from '../events/codec.ts'
import {
  type AccountOpening,
  type LedgerEvent,
  ledgerCategory,
  ledgerCodec,
  type Posting,
} from '../events/ledger.ts'
import { ledgerOf } from './ledger-ids.ts'
import { plus } from './money.ts'
import type { Collection, Projection } from './projection.ts'

/** What was moved of one asset in a ledger. */
export type AssetVolume = {
  /** The sum of all postings' amounts. */
  readonly volume: string
  readonly postings: number
}

/** A ledger as a whole; the document's id is its stream. */
export type Ledger = {
  readonly ledger: string
  readonly accountOpening: AccountOpening
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAt: string
  readonly accounts: number
  readonly transactions: number
  readonly assets: Readonly<Record<string, AssetVolume>>
  readonly changedAt: string
  readonly changedRevision: string
}

const ledgerDocuments: Collection<LedgerEvent, Ledger> = {
  name: 'ledgers',
  isFinal: false,
  indexes: [],
  keys: () => ({}),
  idsOf: ({ stream }) => [stream],
  evolve(ledger, event) {
    const changed = {
      changedAt: event.metadata.recordedAt,
      changedRevision: event.revision.toString(),
    }
    if (event.type === 'LedgerCreated') return { ...created(event), ...changed }
    if (!ledger) throw new Error(`${event.stream} was never created`)
    switch (event.type) {
      case 'AccountOpened':
        return { ...ledger, accounts: ledger.accounts + 1, ...changed }
      case 'TransactionPosted': {
        const assets = withPostings(ledger.assets, event.data.postings)
        return { ...ledger, transactions: ledger.transactions + 1, assets, ...changed }
      }
      case 'OverdraftSet':
        return { ...ledger, ...changed }
    }
  },
}

function created(event: Decoded<LedgerEvent & { type: 'LedgerCreated' }>) {
  return {
    ledger: ledgerOf(event.stream),
    accountOpening: event.data.accountOpening,
    metadata: event.data.metadata ?? {},
    createdAt: event.metadata.recordedAt,
    accounts: 0,
    transactions: 0,
    assets: {},
  }
}

function withPostings(
  assets: Ledger['assets'],
  postings: readonly Posting[],
): Record<string, AssetVolume> {
  const after = { ...assets }
  for (const { asset, amount } of postings) {
    const { volume, postings: count } = after[asset] ?? { volume: '0', postings: 0 }
    after[asset] = { volume: plus(volume, amount), postings: count + 1 }
  }
  return after
}

/** One document for each ledger: its settings, how much is in it, when it last changed. */
export const ledgers: Projection<LedgerEvent> = {
  name: 'ledgers',
  version: 1,
  category: ledgerCategory,
  codec: ledgerCodec,
  collections: [ledgerDocuments],
}
