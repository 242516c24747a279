import { expect } from 'chai'
import fc from 'fast-check'
import { type DayRow, findDayOrders, noCost } from '../../app/import/day-order.ts'
import { maxRowsSearched } from '../../app/import/long-day-order.ts'

const tolerance = 10n
const start = { balance: 0n, cost: noCost }

describe('order of a day', () => {
  it('finds an order that runs for any shuffled day with roundings, at most the true one’s', () => {
    fc.assert(
      fc.property(dayOf({ min: 1, max: 8 }), ({ rows, shuffled, rounding }) => {
        const orders = findDayOrders(shuffled, [start], tolerance)
        const end = rows.at(-1)?.balance
        const found = orders.find(({ balance }) => balance === end)
        expect(found?.cost.breaks).to.equal(0)
        expect(found && found.cost.rounding <= rounding).to.equal(true)
        for (const order of orders) expectToRun(shuffled, order.order)
      }),
      { numRuns: 150 },
    )
  })

  it('finds one for long days too, where balances repeat often', () => {
    fc.assert(
      fc.property(dayOf({ min: 9, max: 120 }), ({ shuffled }) => {
        const [found] = findDayOrders(shuffled, [start], tolerance)
        expect(found?.cost.breaks).to.equal(0)
        expectToRun(shuffled, found?.order ?? [])
      }),
      { numRuns: 150 },
    )
  })

  it('finds the start of a long day when nothing is known of the account', () => {
    const rows = runningRows(
      700n,
      Array.from({ length: 40 }, (_, index) => BigInt(index * 37 - 300)),
    )
    const [found] = findDayOrders(rows.toReversed(), [{ balance: undefined, cost: noCost }], 0n)
    expect(found?.cost.breaks).to.equal(0)
    expect(found?.balance).to.equal(rows.at(-1)?.balance)
  })

  it('keeps every balance a day can end at, for the next day to decide', () => {
    // Both orders run within the tolerance: 0 → 100 → 205 and 0 → 105 → 200, differing by 5.
    const rows = [
      { amount: 100n, balance: 100n },
      { amount: 100n, balance: 105n },
    ]
    const ends = findDayOrders(rows, [start], 200n).map(({ balance }) => balance)
    expect(ends).to.have.members([100n, 105n])
  })

  it('prefers the file’s order where another is as good', () => {
    const rows = [50n, 50n, 50n].map((amount) => ({ amount, balance: 50n }))
    const [found] = findDayOrders(rows, [start], 100n)
    expect(found?.order).to.deep.equal([0, 1, 2])
  })

  it('breaks as seldom as can be where no order runs', () => {
    const rows = runningRows(0n, [100n, 45n, -30n, 500n]).toSpliced(1, 1) // a row is missing
    const [found] = findDayOrders(rows.toReversed(), [start], tolerance)
    expect(found?.cost.breaks).to.equal(1)
    expect(found?.order).to.deep.equal([2, 1, 0])
  })

  it('gives up on a day with too many rows, in the file’s order', () => {
    const amounts = Array.from({ length: maxRowsSearched + 1 }, (_, index) => BigInt(index + 1))
    const rows = runningRows(0n, amounts)
    const [inOrder] = findDayOrders(rows, [start], 0n)
    const [reversed] = findDayOrders(rows.toReversed(), [start], 0n)
    expect(inOrder?.cost.breaks).to.equal(0)
    expect(reversed?.cost.breaks).to.be.greaterThan(0)
  })
})

/** A lawful day that starts at zero, and the same rows in any order. */
function dayOf({ min, max }: { readonly min: number; readonly max: number }) {
  const step = fc.record({
    amount: fc.bigInt({ min: -20n, max: 20n }).map((units) => units * 50n + 25n), // few, so balances repeat
    rounding: fc.constantFrom(0n, 0n, 0n, 0n, 10n, -10n),
  })
  return fc.array(step, { minLength: min, maxLength: max }).chain((steps) => {
    const rows: DayRow[] = []
    let balance = 0n
    for (const { amount, rounding } of steps) {
      balance += amount + rounding
      rows.push({ amount, balance })
    }
    const rounding = 10n * BigInt(steps.filter((one) => one.rounding !== 0n).length)
    return fc
      .shuffledSubarray(rows, { minLength: rows.length })
      .map((shuffled) => ({ rows, shuffled, rounding }))
  })
}

function runningRows(opening: bigint, amounts: readonly bigint[]): readonly DayRow[] {
  let balance = opening
  return amounts.map((amount) => {
    balance += amount
    return { amount, balance }
  })
}

function expectToRun(rows: readonly DayRow[], order: readonly number[]): void {
  expect(new Set(order).size).to.equal(rows.length)
  let balance = 0n
  for (const index of order) {
    const row = rows[index]
    if (!row) throw new Error(`there is no row ${index}`)
    const difference = row.balance - balance - row.amount
    expect(difference >= -tolerance && difference <= tolerance).to.equal(true)
    balance = row.balance
  }
}
