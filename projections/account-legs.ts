import type { Decoded } from '../events/codec.ts'
import type { LedgerEvent, Posting } from '../events/ledger.ts'

/** One side of a posting, as its account sees it. */
export interface Leg {
  /** Place of the posting in its transaction. */
  readonly posting: number
  readonly direction: 'in' | 'out'
  readonly asset: string
  readonly amount: string
  readonly counterparty: string
}

/** Above this many postings, legs are grouped by account once rather than looked for each time. */
const fewPostings = 4

const grouped = new WeakMap<readonly Posting[], ReadonlyMap<string, readonly Leg[]>>()

/** An account's legs of a transaction, in the order of its postings. */
export function legsOf(postings: readonly Posting[], account: string): readonly Leg[] {
  const [only] = postings
  if (only && postings.length === 1) return legsOfPosting(only, 0, account)
  if (postings.length <= fewPostings) {
    return postings.flatMap((posting, place) => legsOfPosting(posting, place, account))
  }
  let byAccount = grouped.get(postings)
  if (!byAccount) {
    byAccount = groupLegs(postings)
    grouped.set(postings, byAccount)
  }
  return byAccount.get(account) ?? []
}

function groupLegs(postings: readonly Posting[]): Map<string, Leg[]> {
  const byAccount = new Map<string, Leg[]>()
  for (const [place, posting] of postings.entries()) {
    for (const account of new Set([posting.from, posting.to])) {
      const legs = byAccount.get(account) ?? []
      legs.push(...legsOfPosting(posting, place, account))
      byAccount.set(account, legs)
    }
  }
  return byAccount
}

function legsOfPosting(posting: Posting, place: number, account: string): Leg[] {
  const { from, to, asset, amount } = posting
  if (to === account) {
    return [{ posting: place, direction: 'in', asset, amount, counterparty: from }]
  }
  if (from === account) {
    return [{ posting: place, direction: 'out', asset, amount, counterparty: to }]
  }
  return []
}

/** The accounts an event is about, each once. */
export function accountsOf(event: Decoded<LedgerEvent>): readonly string[] {
  switch (event.type) {
    case 'LedgerCreated':
      return []
    case 'AccountOpened':
    case 'OverdraftSet':
      return [event.data.account]
    case 'TransactionPosted': {
      const [only, ...others] = event.data.postings
      if (only && others.length === 0 && only.from !== only.to) return [only.from, only.to]
      return [...new Set(event.data.postings.flatMap(({ from, to }) => [from, to]))]
    }
  }
}

/** The address in an account document's id. */
export const addressIn = (id: string): string => id.slice(id.indexOf('/') + 1)
