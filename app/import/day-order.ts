import { findLongOrder } from './long-day-order.ts'

/** A row as the search sees it. */
export interface DayRow {
  readonly amount: bigint
  /** The balance after it. */
  readonly balance: bigint
}

/** How far an order of rows is from running; compared part by part. */
export interface OrderCost {
  /** Rows whose balance does not follow within the tolerance. */
  readonly breaks: number
  /** Sum of the differences within the tolerance. */
  readonly rounding: bigint
  /** Pairs of rows that stand in another order than in the file. */
  readonly inversions: number
}

/** One way to have come to a balance. `undefined`: nothing is known of the account yet. */
export interface BalanceState {
  readonly balance: bigint | undefined
  readonly cost: OrderCost
}

/** The best way through a day that ends at `balance`. */
export interface DayOrder<S extends BalanceState> extends BalanceState {
  readonly balance: bigint
  readonly from: S
  /** Indexes of the day's rows, in the order that runs. */
  readonly order: readonly number[]
}

/** Days of at most so many rows are searched wholly, so that the best order is found. */
export const maxRowsSearchedWholly = 8

export const noCost: OrderCost = { breaks: 0, rounding: 0n, inversions: 0 }

export function isCheaper(a: OrderCost, b: OrderCost): boolean {
  if (a.breaks !== b.breaks) return a.breaks < b.breaks
  if (a.rounding !== b.rounding) return a.rounding < b.rounding
  return a.inversions < b.inversions
}

/** The cost of a row after a balance. */
export function stepCost(before: bigint | undefined, row: DayRow, tolerance: bigint): OrderCost {
  if (before === undefined) return noCost
  const difference = row.balance - before - row.amount
  if (difference === 0n) return noCost
  const size = difference < 0n ? -difference : difference
  return size <= tolerance
    ? { breaks: 0, rounding: size, inversions: 0 }
    : { breaks: 1, rounding: 0n, inversions: 0 }
}

export const addCost = (a: OrderCost, b: OrderCost): OrderCost =>
  b === noCost
    ? a
    : {
        breaks: a.breaks + b.breaks,
        rounding: a.rounding + b.rounding,
        inversions: a.inversions + b.inversions,
      }

/**
 * The orders in which the rows of one account and day make the balances run, the best for each
 * balance that the day can end at: fewest breaks, then least rounding, then closest to the file.
 * All ends are kept, because the next day decides which was right. Never empty.
 */
export function findDayOrders<S extends BalanceState>(
  rows: readonly DayRow[],
  states: readonly S[],
  tolerance: bigint,
): readonly DayOrder<S>[] {
  if (rows.length > maxRowsSearchedWholly) return [findLongOrder(rows, states, tolerance)]
  const paths = searchWholly(rows, states, tolerance)
  const best = new Map<bigint, DayOrder<S>>()
  let fewest = Number.POSITIVE_INFINITY
  for (const path of paths) {
    const known = best.get(path.balance)
    if (!known || isCheaper(path.cost, known.cost)) best.set(path.balance, path)
    fewest = Math.min(fewest, path.cost.breaks)
  }
  return [...best.values()].filter(({ cost }) => cost.breaks === fewest)
}

interface Path<S> {
  readonly from: S
  readonly cost: OrderCost
  readonly last: number
  readonly previous: Path<S> | undefined
}

/** The cheapest path through every set of rows to every last row: sets grow by one row at a time. */
function searchWholly<S extends BalanceState>(
  rows: readonly DayRow[],
  states: readonly S[],
  tolerance: bigint,
): readonly DayOrder<S>[] {
  let paths = new Map<number, Path<S>>() // by the set of rows, as bits, and the last of them
  const keep = (into: Map<number, Path<S>>, set: number, path: Path<S>): void => {
    const key = set * rows.length + path.last
    const known = into.get(key)
    if (!known || isCheaper(path.cost, known.cost)) into.set(key, path)
  }
  rows.forEach((row, last) => {
    for (const from of states) {
      const cost = addCost(from.cost, stepCost(from.balance, row, tolerance))
      keep(paths, 1 << last, { from, cost, last, previous: undefined })
    }
  })
  for (let length = 1; length < rows.length; length += 1) {
    const longer = new Map<number, Path<S>>()
    for (const [key, path] of paths) {
      const set = Math.floor(key / rows.length)
      const before = rows[path.last]?.balance
      rows.forEach((row, last) => {
        if (set & (1 << last)) return
        const inversions = bitsAbove(set, last)
        const step = addCost(stepCost(before, row, tolerance), { ...noCost, inversions })
        const cost = addCost(path.cost, step)
        keep(longer, set | (1 << last), { from: path.from, cost, last, previous: path })
      })
    }
    paths = longer
  }
  return [...paths.values()].map((path) => dayOrderOf(path, rows))
}

function dayOrderOf<S extends BalanceState>(path: Path<S>, rows: readonly DayRow[]): DayOrder<S> {
  const order: number[] = []
  for (let at: Path<S> | undefined = path; at; at = at.previous) order.push(at.last)
  const balance = rows[path.last]?.balance ?? 0n
  return { balance, cost: path.cost, from: path.from, order: order.reverse() }
}

/** Rows of the set that stand behind this one in the file and come before it here. */
function bitsAbove(set: number, index: number): number {
  let count = 0
  for (let rest = set >>> (index + 1); rest > 0; rest &= rest - 1) count += 1
  return count
}
