import { addCost, type BalanceState, type DayOrder, type DayRow, stepCost } from './day-order.ts'

/** Longer days are only tried in the file's order. */
export const maxRowsSearched = 5_000

/** Walks tried for one day and starting balance before the search gives up. */
export const maxOrderTries = 64

/**
 * An order of a day too long to be searched wholly. Rows are edges from the balance before to the
 * balance after them, and the order is an Euler path: it is walked as Hierholzer does. With a
 * tolerance such a walk can fail although an order exists, so it is tried again with other choices,
 * always the same ones. Where nothing runs it is the file's order, with its breaks.
 */
export function findLongOrder<S extends BalanceState>(
  rows: readonly DayRow[],
  states: readonly S[],
  tolerance: bigint,
): DayOrder<S> {
  const [cheapest] = states
  if (!cheapest) throw new Error('a day needs a state to start from')
  const inFileOrder = rows.map((_, index) => index)
  const start = dayOrderOf(cheapest, inFileOrder, rows, tolerance)
  if (start.cost.breaks === cheapest.cost.breaks || rows.length > maxRowsSearched) return start
  const byBefore = inFileOrder.toSorted(
    (a, b) => compare(before(rows, a), before(rows, b)) || a - b,
  )
  for (const state of states) {
    const from = startOf(state, rows, byBefore)
    for (let attempt = 0; attempt < maxOrderTries; attempt += 1) {
      const order = walk(from, createFollowers(rows, byBefore, tolerance, attempt), rows)
      if (order.length < rows.length) continue
      const found = dayOrderOf(state, order, rows, tolerance)
      if (found.cost.breaks === state.cost.breaks) return found
    }
  }
  return start
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

function before(rows: readonly DayRow[], index: number): bigint {
  const row = rows[index]
  return row ? row.balance - row.amount : 0n
}

/** Where nothing is known of the account, the path starts at the balance that no row leads to. */
function startOf(
  state: BalanceState,
  rows: readonly DayRow[],
  byBefore: readonly number[],
): bigint {
  if (state.balance !== undefined) return state.balance
  const open = new Map<bigint, number>()
  for (const index of byBefore) {
    const from = before(rows, index)
    const to = rows[index]?.balance ?? 0n
    open.set(from, (open.get(from) ?? 0) + 1)
    open.set(to, (open.get(to) ?? 0) - 1)
  }
  const [start] = [...open].filter(([, count]) => count > 0)
  return start ? start[0] : before(rows, 0)
}

/** Takes a row that can follow a balance, each row once; `undefined` where there is none left. */
type TakeFollower = (balance: bigint) => number | undefined

function walk(start: bigint, take: TakeFollower, rows: readonly DayRow[]): readonly number[] {
  const stack: number[] = []
  const reversed: number[] = []
  for (;;) {
    const top = stack.at(-1)
    const next = take(top === undefined ? start : (rows[top]?.balance ?? 0n))
    if (next !== undefined) stack.push(next)
    else if (top === undefined) return reversed.reverse()
    else {
      reversed.push(top)
      stack.pop()
    }
  }
}

/** The first attempt takes the smallest difference, and of equal ones the first of the file. */
function createFollowers(
  rows: readonly DayRow[],
  byBefore: readonly number[],
  tolerance: bigint,
  attempt: number,
): TakeFollower {
  const left = [...byBefore]
  const random = createRandom(attempt)
  return (balance) => {
    let best: { readonly at: number; readonly score: bigint } | undefined
    for (let at = firstFrom(left, rows, balance - tolerance); at < left.length; at += 1) {
      const index = left[at] ?? 0
      const difference = before(rows, index) - balance
      if (difference > tolerance) break
      const size = difference < 0n ? -difference : difference
      const score = attempt === 0 ? size : BigInt(random()) + (attempt % 2 === 1 ? size << 32n : 0n)
      if (!best || score < best.score) best = { at, score }
    }
    return best && left.splice(best.at, 1)[0]
  }
}

/** The first place whose row has at least this balance before it. */
function firstFrom(left: readonly number[], rows: readonly DayRow[], balance: bigint): number {
  let [low, high] = [0, left.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (before(rows, left[middle] ?? 0) < balance) low = middle + 1
    else high = middle
  }
  return low
}

/** Whole numbers below 2³² that are the same in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

function dayOrderOf<S extends BalanceState>(
  from: S,
  order: readonly number[],
  rows: readonly DayRow[],
  tolerance: bigint,
): DayOrder<S> {
  let { balance, cost }: BalanceState = from
  for (const index of order) {
    const row = rows[index]
    if (!row) continue
    cost = addCost(cost, stepCost(balance, row, tolerance))
    balance = row.balance
  }
  return { balance: balance ?? 0n, cost, from, order }
}
