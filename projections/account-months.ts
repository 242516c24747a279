import type { LedgerEvent, TransactionPosted } from '../events/ledger.ts'
import { type Leg, legsOf } from './account-legs.ts'
import { ledgerOf, monthId, monthIn } from './ledger-ids.ts'
import { plus } from './money.ts'
import type { Collection } from './projection.ts'

/** What moved on one day, UTC, of effective time. */
export type DaySums = {
  /** `2026-01-31` */
  readonly day: string
  readonly in: string
  readonly out: string
  /** Entries of the day. */
  readonly count: number
}

/**
 * The sums of an account and asset by day, a month to a document: a document a day would be most of
 * the work of a projection in which accounts move now and then.
 */
export type AccountMonth = {
  readonly ledger: string
  readonly account: string
  readonly asset: string
  /** `2026-01` */
  readonly month: string
  /** The days on which something moved, by date. */
  readonly days: readonly DaySums[]
}

/** Months in the order of their ids: by account, asset, then month. */
export const accountMonths: Collection<LedgerEvent, AccountMonth> = {
  name: 'months',
  isFinal: false,
  indexes: [],
  keys: () => ({}),
  idsOf(event) {
    if (event.type !== 'TransactionPosted') return []
    const ids = idsOfPostings(event, event.stream)
    return ids.length === 2 && ids[0] !== ids[1] ? ids : [...new Set(ids)]
  },
  evolve(before, event, id) {
    if (event.type !== 'TransactionPosted') throw new Error(`${event.type} is no flow`)
    const { account, asset, month } = before ?? monthIn(id)
    const legs = legsOf(event.data.postings, account).filter((leg) => leg.asset === asset)
    const days = withLegs(before?.days ?? [], event.data.effectiveAt.slice(0, dayLength), legs)
    return { ledger: before?.ledger ?? ledgerOf(event.stream), account, asset, month, days }
  },
}

const dayLength = 'YYYY-MM-DD'.length
const monthLength = 'YYYY-MM'.length

function withLegs(days: readonly DaySums[], day: string, legs: readonly Leg[]): DaySums[] {
  const after = days.slice()
  let place = after.length // most come in order: the last day, or a new one
  while (place > 0 && (after[place - 1]?.day ?? '') > day) place -= 1
  const isThere = after[place - 1]?.day === day
  const before = isThere ? after[place - 1] : undefined
  const sums = { day, in: before?.in ?? '0', out: before?.out ?? '0', count: before?.count ?? 0 }
  for (const { direction, amount } of legs) {
    sums[direction] = plus(sums[direction], amount)
    sums.count += 1
  }
  if (isThere) after[place - 1] = sums
  else after.splice(place, 0, sums)
  return after
}

function idsOfPostings(event: TransactionPosted, stream: string): string[] {
  const month = event.data.effectiveAt.slice(0, monthLength)
  return event.data.postings.flatMap(({ from, to, asset }) => [
    monthId(stream, from, asset, month),
    monthId(stream, to, asset, month),
  ])
}
