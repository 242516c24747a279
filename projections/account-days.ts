import type { LedgerEvent, TransactionPosted } from '../events/ledger.ts'
import { legsOf } from './account-legs.ts'
import { dayId, dayIn, ledgerOf } from './ledger-ids.ts'
import { plus } from './money.ts'
import type { Collection } from './projection.ts'

/** What moved in and out of an account in one asset on one day (UTC) of effective time. */
export type AccountDay = {
  readonly ledger: string
  readonly account: string
  readonly asset: string
  readonly day: string
  readonly in: string
  readonly out: string
  /** Entries of the day. */
  readonly count: number
}

/** Days in the order of their ids: by account, asset, then date. */
export const accountDays: Collection<LedgerEvent, AccountDay> = {
  name: 'days',
  isFinal: false,
  indexes: [],
  keys: () => ({}),
  idsOf(event) {
    if (event.type !== 'TransactionPosted') return []
    const ids = idsOfPostings(event, event.stream)
    return ids.length === 2 ? ids : [...new Set(ids)]
  },
  evolve(before, event, id) {
    if (event.type !== 'TransactionPosted') throw new Error(`${event.type} is no flow`)
    const { account, asset, day } = dayIn(id)
    let after = before ?? {
      ...{ ledger: ledgerOf(event.stream), account, asset, day, in: '0', out: '0', count: 0 },
    }
    for (const { direction, amount, ...leg } of legsOf(event.data.postings, account)) {
      if (leg.asset !== asset) continue
      after = { ...after, [direction]: plus(after[direction], amount), count: after.count + 1 }
    }
    return after
  },
}

function idsOfPostings(event: TransactionPosted, stream: string): string[] {
  const day = dayOf(event)
  return event.data.postings.flatMap(({ from, to, asset }) => [
    dayId(stream, from, asset, day),
    dayId(stream, to, asset, day),
  ])
}

const dayOf = ({ data }: TransactionPosted): string => data.effectiveAt.slice(0, 10)
