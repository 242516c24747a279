/** What moved on one day, UTC, of effective time. */
export type DaySums = {
  /** `2026-01-31` */
  readonly day: string
  readonly in: string
  readonly out: string
  /** Entries of the day. */
  readonly count: number
}

export interface Sums {
  in: bigint
  out: bigint
  count: number
}

/**
 * Days in order, of which the last one is at hand and the earlier ones are JSON text: nearly all
 * that moves, moves on the last day or on a new one, and a text is smaller than a month of objects.
 */
export interface Days {
  /** `DaySums` as JSON, each with a comma after it. */
  earlier: string
  last: OpenDay | undefined
}

interface OpenDay extends Sums {
  readonly day: string
}

export const noDays = (): Days => ({ earlier: '', last: undefined })

/** Adds to a day's sums, in place. */
export function addToDay(days: Days, day: string, sums: Sums): void {
  const { last } = days
  if (last?.day === day) {
    add(last, sums)
  } else if (last === undefined || last.day < day) {
    if (last !== undefined) days.earlier += `${dayText(last)},`
    days.last = { day, ...sums }
  } else {
    days.earlier = withEarlierDay(days.earlier, day, sums)
  }
}

function add(to: Sums, sums: Sums): void {
  to.in += sums.in
  to.out += sums.out
  to.count += sums.count
}

/** A day before the last: what is back-dated is rare. */
function withEarlierDay(earlier: string, day: string, sums: Sums): string {
  const all = (JSON.parse(`[${earlier.slice(0, -1)}]`) as DaySums[]).map(opened)
  const place = all.findIndex((one) => one.day >= day)
  const there = all[place]
  if (there?.day === day) add(there, sums)
  else all.splice(place < 0 ? all.length : place, 0, { day, ...sums })
  return all.map((one) => `${dayText(one)},`).join('')
}

const opened = ({ day, count, ...sums }: DaySums): OpenDay => ({
  day,
  in: BigInt(sums.in),
  out: BigInt(sums.out),
  count,
})

/** Not pieced together: V8 keeps such a text as its pieces, which are many times its size. */
const dayText = ({ day, in: come, out: gone, count }: OpenDay): string =>
  JSON.stringify({ day, in: come.toString(), out: gone.toString(), count } satisfies DaySums)

/** All days as a JSON array of `DaySums`. */
export const daysText = ({ earlier, last }: Days): string =>
  last === undefined ? '[]' : `[${earlier}${dayText(last)}]`

/** Days from a text at whose end stand `daysText`, from `begin` on, and a closing bracket. */
export function daysFrom(text: string, begin: number): Days {
  const lastAt = text.lastIndexOf('{"day":')
  if (lastAt < begin) return noDays()
  const last = JSON.parse(text.slice(lastAt, -']}'.length)) as DaySums
  return { earlier: text.slice(begin + '['.length, lastAt), last: opened(last) }
}
