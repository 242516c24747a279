import type { LedgerCommandLine } from '../import/command-sink.ts'
import { createRandom, type Random } from './random.ts'

export const demoLedger = 'demo'
export const demoAsset = 'CZK/2'

/** What the ledger will make of a line when it sees it for the first time. */
export type Expectation = 'new' | 'repeated' | 'overdraft'

export interface DemoLine {
  readonly command: LedgerCommandLine
  readonly expected: Expectation
}

export type DemoTransaction = Extract<LedgerCommandLine, { type: 'PostTransaction' }>

/** A year of a small bank, the same each time: ids make it safe to feed it again. */
export interface DemoBank {
  /** The ledger and its accounts. */
  readonly setUp: readonly LedgerCommandLine[]
  /** In order of time, for the bulk route. */
  readonly lines: readonly DemoLine[]
  /** In any order, for the route that takes one. */
  readonly singles: readonly DemoTransaction[]
}

const seed = 20_250_101
const sizes = { customers: 400, employers: 12, landlords: 25, merchants: 60 } as const
const monthsOfYear = 12
const cardPaymentsPerMonth = 3
const giftHours = [17, 18, 19, 20, 21]

/** Every so many payments, one is sent twice, and somebody wants to spend what nobody has. */
const repeatEvery = 200
const overdraftEvery = 150

/** Korunas, such that nobody spends more than is earned: what is refused is refused by intent. */
const salaries = { least: 32_000, most: 68_000 } as const
const rents = { least: 9_000, most: 16_000 } as const
const purchases = { least: 40, most: 2_500 } as const
export const castle = '99999999900'

export function createDemoBank(): DemoBank {
  const random = createRandom(seed)
  const transactions = yearOf(random).sort(byTime)
  const lines: DemoLine[] = []
  for (const [index, command] of transactions.entries()) {
    lines.push({ command, expected: 'new' })
    if (index % repeatEvery === 0) lines.push({ command, expected: 'repeated' })
    if (index % overdraftEvery === 0) lines.push(overdraftAfter(command, random))
  }
  return { setUp: setUp(), lines, singles: giftsOf(random) }
}

const accountsOf = (group: keyof typeof sizes): readonly string[] =>
  Array.from({ length: sizes[group] }, (_, index) => accountOf(group, index))

const accountOf = (group: keyof typeof sizes, index: number): string =>
  `${group}:${String(index + 1).padStart(3, '0')}`

function setUp(): LedgerCommandLine[] {
  const opened = ['customers', 'landlords', 'merchants'] as const
  return [
    { type: 'CreateLedger', key: 'demo-ledger', accountOpening: 'explicit' },
    ...accountsOf('employers').map(
      (account): LedgerCommandLine => ({
        ...{ type: 'OpenAccount', key: `demo-open-${account}`, account },
        overdrafts: { [demoAsset]: 'unlimited' },
      }),
    ),
    ...[...opened.flatMap(accountsOf), 'bank:fees', 'state:taxes'].map(
      (account): LedgerCommandLine => ({
        ...{ type: 'OpenAccount', key: `demo-open-${account}`, account },
      }),
    ),
  ]
}

function yearOf(random: Random): DemoTransaction[] {
  const customers = accountsOf('customers').map((account, index) => ({
    account,
    employer: accountOf('employers', index % sizes.employers),
    landlord: accountOf('landlords', index % sizes.landlords),
    salary: random.between(salaries.least, salaries.most),
    rent: random.between(rents.least, rents.most),
  }))
  const months = Array.from({ length: monthsOfYear }, (_, index) => index + 1)
  return months.flatMap((month) =>
    customers.flatMap(({ account, employer, landlord, salary, rent }) => [
      transaction('salary', account, timeIn(month, 1, 6), [
        [employer, account, salary],
        [employer, 'state:taxes', Math.round(salary / 4)],
      ]),
      transaction('rent', account, timeIn(month, 5, 9), [[account, landlord, rent]]),
      ...Array.from({ length: cardPaymentsPerMonth }, (_, count) =>
        cardPayment(account, timeIn(month, random.between(6, 28), 10 + count), random),
      ),
    ]),
  )
}

function cardPayment(account: string, at: string, random: Random): DemoTransaction {
  const merchant = accountOf('merchants', random.between(0, sizes.merchants - 1))
  const price = random.between(purchases.least, purchases.most)
  return transaction('card', account, at, [
    [account, merchant, price],
    [merchant, 'bank:fees', Math.max(1, Math.round(price / 100))],
  ])
}

/** On New Year's Eve, hour by hour, each customer gives the next one something. */
const giftsOf = (random: Random): DemoTransaction[] =>
  giftHours.flatMap((hour) =>
    accountsOf('customers').map((account, index) => {
      const next = accountOf('customers', (index + 1) % sizes.customers)
      return transaction('gift', account, timeIn(12, 31, hour), [
        [account, next, random.between(10, 500)],
      ])
    }),
  )

function overdraftAfter({ effectiveAt }: DemoTransaction, random: Random): DemoLine {
  const account = accountOf('customers', random.between(0, sizes.customers - 1))
  const id = `castle-${account}-${effectiveAt.slice(0, 10)}`
  const posting = { from: account, to: 'merchants:001', asset: demoAsset, amount: castle }
  const command = { type: 'PostTransaction', id, effectiveAt, postings: [posting] } as const
  return { command, expected: 'overdraft' }
}

type Move = readonly [from: string, to: string, korunas: number]

function transaction(
  kind: string,
  account: string,
  effectiveAt: string,
  moves: readonly Move[],
): DemoTransaction {
  return {
    type: 'PostTransaction',
    id: `${kind}-${account}-${effectiveAt.slice(0, 13)}`,
    effectiveAt,
    metadata: { kind },
    postings: moves.map(([from, to, korunas]) => ({
      ...{ from, to, asset: demoAsset, amount: `${korunas}00` },
    })),
  }
}

const timeIn = (month: number, day: number, hour: number): string =>
  new Date(Date.UTC(2025, month - 1, day, hour)).toISOString()

const byTime = (a: DemoTransaction, b: DemoTransaction): number =>
  a.effectiveAt < b.effectiveAt ? -1 : a.effectiveAt > b.effectiveAt ? 1 : 0
