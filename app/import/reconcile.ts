import { formatAmount } from './amount.ts'
import {
  type BalanceState,
  type DayOrder,
  findDayOrders,
  isCheaper,
  maxRowsSearchedWholly,
  noCost,
} from './day-order.ts'
import type { Movement } from './movement.ts'
import type { RowProblem } from './row-problem.ts'

/** A movement in its place, with what the source rounded. */
export interface ReconciledMovement {
  readonly movement: Movement
  /** What the balance of the file has more than the amounts add up to; within the tolerance. */
  readonly rounding: bigint
}

/** What an account had before its first row. */
export interface OpeningBalance {
  readonly account: string
  readonly asset: string
  readonly balance: bigint
  readonly effectiveAt: string
}

export interface Reconciliation {
  /** All movements, by day; rows of one account and day in the order that makes its balances run. */
  readonly movements: readonly ReconciledMovement[]
  readonly openings: readonly OpeningBalance[]
  /** Rows whose balance does not follow from the rows before, with both figures. */
  readonly problems: readonly RowProblem[]
  readonly balancesChecked: number
  /** Rows that stand elsewhere than in the file. */
  readonly reordered: number
}

export interface ReconcileOptions {
  readonly tolerance: bigint
  /** Whether an account may have had a balance before its first row. */
  readonly opening: 'zero' | 'from-first-row'
}

/** Puts movements of days in order without looking at balances. A file may have the newest first. */
export function orderByDay(movements: readonly Movement[]): readonly Movement[] {
  const newestFirst = (movements[0]?.day ?? '') > (movements.at(-1)?.day ?? '')
  const chronological = newestFirst ? movements.toReversed() : movements
  return chronological.toSorted((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0))
}

/** Checks every balance of the file. Pure; the same file always gives the same order. */
export function reconcile(
  movements: readonly Movement[],
  { tolerance, opening }: ReconcileOptions,
): Reconciliation {
  const byDay = orderByDay(movements)
  const placed = new Array<ReconciledMovement | undefined>(byDay.length)
  const openings: OpeningBalance[] = []
  const problems: RowProblem[] = []
  let reordered = 0

  for (const days of accountDays(byDay).values()) {
    let balance = opening === 'zero' ? 0n : undefined
    for (const { day, order } of bestOrders(days, balance, tolerance)) {
      order.forEach((index, at) => {
        const [movement, slot] = [day.rows[index], day.slots[at]]
        if (!movement || slot === undefined) return
        const { amount, balance: found = 0n } = movement
        if (balance === undefined) {
          balance = found - amount
          openings.push(openingOf(movement, balance))
        }
        const difference = found - balance - amount
        const explained = difference <= tolerance && -difference <= tolerance
        if (!explained) problems.push(problemOf(movement, balance + amount, day.rows.length))
        placed[slot] = { movement, rounding: explained ? difference : 0n }
        if (index !== at) reordered += 1
        balance = found
      })
    }
  }
  problems.sort((a, b) => a.line - b.line)
  return {
    movements: placed.filter((entry) => entry !== undefined),
    openings: openings.filter((entry) => entry.balance !== 0n),
    problems,
    balancesChecked: byDay.length,
    reordered,
  }
}

interface AccountDay {
  readonly rows: readonly Checkable[]
  /** The rows' places among all movements. */
  readonly slots: readonly number[]
}

type Checkable = Movement & { readonly balance: bigint }

const isCheckable = (movement: Movement): movement is Checkable => movement.balance !== undefined

/** The days of each account and asset, in order. */
function accountDays(byDay: readonly Movement[]): Map<string, AccountDay[]> {
  const accounts = new Map<string, { rows: Checkable[]; slots: number[] }[]>()
  byDay.forEach((movement, slot) => {
    if (!isCheckable(movement)) throw new Error(`line ${movement.line} has no balance to check`)
    const key = `${movement.account} ${movement.asset}`
    const days = accounts.get(key)
    const today = days?.at(-1)
    if (today?.rows[0]?.day === movement.day) {
      today.rows.push(movement)
      today.slots.push(slot)
    } else if (days) days.push({ rows: [movement], slots: [slot] })
    else accounts.set(key, [{ rows: [movement], slots: [slot] }])
  })
  return accounts
}

interface DayState extends BalanceState {
  readonly chosen?: DayOrder<DayState>
  readonly day?: AccountDay
}

interface OrderedDay {
  readonly day: AccountDay
  readonly order: readonly number[]
}

/** The cheapest orders of all days together: where a day can end in two ways, the next ones decide. */
function bestOrders(
  days: readonly AccountDay[],
  opening: bigint | undefined,
  tolerance: bigint,
): readonly OrderedDay[] {
  let states: readonly DayState[] = [{ balance: opening, cost: noCost }]
  for (const day of days) {
    states = findDayOrders(day.rows, states, tolerance).map((chosen) => ({
      balance: chosen.balance,
      cost: chosen.cost,
      chosen,
      day,
    }))
  }
  const best = states.reduce((a, b) => (isCheaper(b.cost, a.cost) ? b : a))
  const ordered: OrderedDay[] = []
  for (let state = best; state.chosen && state.day; state = state.chosen.from) {
    ordered.push({ day: state.day, order: state.chosen.order })
  }
  return ordered.reverse()
}

const openingOf = ({ account, asset, day }: Movement, balance: bigint): OpeningBalance => ({
  account,
  asset,
  balance,
  effectiveAt: `${day}T00:00:00.000Z`,
})

function problemOf(movement: Checkable, expected: bigint, rowsOfDay: number): RowProblem {
  const { line, account, asset, balance, day } = movement
  const gaveUp = rowsOfDay > maxRowsSearchedWholly
  const figures = `expected ${formatAmount(expected, asset)}, found ${formatAmount(balance, asset)}`
  return {
    line,
    account,
    code: gaveUp ? 'order-not-found' : 'balance-differs',
    detail: gaveUp
      ? `${figures}; no order was found for the ${rowsOfDay} rows of this account on ${day}`
      : figures,
    expected: expected.toString(),
    found: balance.toString(),
  }
}
