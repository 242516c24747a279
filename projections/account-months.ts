import type { LedgerEvent, TransactionPosted } from '../events/ledger.ts'
import { legsOf } from './account-legs.ts'
import { addToDay, type DaySums, type Days, daysFrom, daysText, noDays } from './days.ts'
import { ledgerOf, monthId, monthIn } from './ledger-ids.ts'
import type { Collection } from './projection.ts'

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

type MonthInMemory = Omit<AccountMonth, 'days'> & { readonly days: Days }

/** Months in the order of their ids: by account, asset, then month. */
export const accountMonths: Collection<LedgerEvent, MonthInMemory> = {
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
    const month = before ?? emptyMonth(id)
    const sums = { in: 0n, out: 0n, count: 0 }
    for (const { asset, direction, amount } of legsOf(event.data.postings, month.account)) {
      if (asset !== month.asset) continue
      sums[direction] += BigInt(amount)
      sums.count += 1
    }
    addToDay(month.days, event.data.effectiveAt.slice(0, dayLength), sums)
    return month
  },
  form: {
    write({ days, ...place }) {
      return `${JSON.stringify(place).slice(0, -1)},${daysKey}${daysText(days)}}`
    },
    read(text, id) {
      return { ...emptyMonth(id), days: daysFrom(text, text.indexOf(daysKey) + daysKey.length) }
    },
  },
}

const daysKey = '"days":'
const dayLength = 'YYYY-MM-DD'.length
const monthLength = 'YYYY-MM'.length

const emptyMonth = (id: string): MonthInMemory => ({
  ledger: ledgerOf(id.slice(0, id.indexOf('/'))),
  ...monthIn(id),
  days: noDays(),
})

function idsOfPostings(event: TransactionPosted, stream: string): string[] {
  const month = event.data.effectiveAt.slice(0, monthLength)
  return event.data.postings.flatMap(({ from, to, asset }) => [
    monthId(stream, from, asset, month),
    monthId(stream, to, asset, month),
  ])
}
