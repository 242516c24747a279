import type { Decoded } from '../events/codec.ts'
import type { LedgerEvent } from '../events/ledger.ts'
import { legsOf } from './account-legs.ts'
import type { AccountInMemory } from './accounts.ts'
import { entryId } from './ledger-ids.ts'
import type { Collection, FinalDocument } from './projection.ts'

/** One line of an account's statement. */
export type Entry = {
  readonly ledger: string
  readonly account: string
  readonly asset: string
  readonly direction: 'in' | 'out'
  readonly amount: string
  /** The amount with its sign: what the entry adds to the balance. */
  readonly change: string
  /** The account's balance after the whole transaction, in the order of recording. */
  readonly balance: string
  readonly counterparty: string
  readonly transaction: string
  /** Place of the posting in the transaction. */
  readonly posting: number
  readonly reference?: string
  readonly effectiveAt: string
  readonly recordedAt: string
  readonly revision: string
}

/** Entries in the order of recording, listed by account. They follow from the accounts. */
export const accountEntries: Collection<LedgerEvent, Entry> = {
  name: 'entries',
  isFinal: true,
  indexes: [{ name: 'by-account', fields: ['ledger', 'account', 'revision'], grows: true }],
  keys: ({ ledger, account, revision }) => ({ ledger, account, revision: Number(revision) }),
  idsOf: () => [],
  evolve() {
    throw new Error('entries follow from accounts')
  },
}

/** An account's entries of one transaction, given the account after it. */
export function entriesFrom(
  after: AccountInMemory,
  event: Decoded<LedgerEvent>,
): readonly FinalDocument[] {
  if (event.type !== 'TransactionPosted') return []
  const { ledger, account, balances } = after
  const { id, effectiveAt, reference, postings } = event.data
  const { recordedAt } = event.metadata
  const revision = event.revision.toString()
  return legsOf(postings, account).map(({ posting, direction, asset, amount, counterparty }) => {
    const { in: come = 0n, out: gone = 0n } = balances[asset] ?? {}
    const body: Entry = {
      ledger,
      account,
      asset,
      direction,
      amount,
      change: direction === 'in' ? amount : `-${amount}`,
      balance: (come - gone).toString(),
      counterparty,
      transaction: id,
      posting,
      ...(reference === undefined ? {} : { reference }),
      effectiveAt,
      recordedAt,
      revision,
    }
    return {
      collection: accountEntries.name,
      id: entryId(event.stream, event.revision, posting, account),
      body,
    }
  })
}
