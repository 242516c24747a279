import { type LedgerEvent, ledgerCategory, ledgerCodec, type Posting } from '../events/ledger.ts'
import { ledgerOf, transactionId } from './ledger-ids.ts'
import type { Collection, Projection } from './projection.ts'
import { tagsOf } from './tags.ts'

/** A transaction as it was posted. */
export type Transaction = {
  readonly ledger: string
  readonly id: string
  readonly revision: string
  readonly effectiveAt: string
  readonly recordedAt: string
  readonly reference?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly postings: readonly Posting[]
}

const grows = true

const transactionDocuments: Collection<LedgerEvent, Transaction> = {
  name: 'transactions',
  isFinal: true,
  indexes: [
    { name: 'by-revision', fields: ['ledger', 'revision'] },
    { name: 'by-account', fields: ['ledger', 'account', 'revision'], manyOf: 'account', grows },
    { name: 'by-reference', fields: ['ledger', 'reference', 'revision'], grows },
    { name: 'by-effective-time', fields: ['ledger', 'effectiveAt', 'revision'] },
    { name: 'by-tag', fields: ['ledger', 'tag', 'revision'], manyOf: 'tag', grows },
  ],
  keys: ({ ledger, revision, postings, reference, effectiveAt, metadata }) => ({
    ledger,
    revision: Number(revision),
    account: accountsOf(postings),
    reference,
    effectiveAt,
    tag: tagsOf(metadata),
  }),
  idsOf: ({ type, data, stream }) =>
    type === 'TransactionPosted' ? [transactionId(stream, data.id)] : [],
  evolve(_, event) {
    if (event.type !== 'TransactionPosted') throw new Error(`${event.type} makes no transaction`)
    const { effectiveAt, id, metadata = {}, postings, reference } = event.data
    return {
      ledger: ledgerOf(event.stream),
      id,
      revision: event.revision.toString(),
      effectiveAt,
      recordedAt: event.metadata.recordedAt,
      ...(reference === undefined ? {} : { reference }),
      metadata,
      postings,
    }
  },
}

function accountsOf(postings: readonly Posting[]): string[] {
  const [only, ...others] = postings
  if (only && others.length === 0) return [only.from, only.to]
  return [...new Set(postings.flatMap(({ from, to }) => [from, to]))]
}

/** Each transaction whole, found by revision, account, reference, effective time and metadata. */
export const transactions: Projection<LedgerEvent> = {
  name: 'transactions',
  version: 1,
  category: ledgerCategory,
  codec: ledgerCodec,
  collections: [transactionDocuments],
}
