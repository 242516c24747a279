import { expect } from 'chai'
import { accounts } from '../../projections/accounts.ts'
import { ledgerStream, monthsOf } from '../../projections/ledger-ids.ts'
import { ledgers } from '../../projections/ledgers.ts'
import { byId, type Projection } from '../../projections/projection.ts'
import { createProjector } from '../../projections/projector.ts'
import type { Build, Query } from '../../projections/read-model-store.ts'
import { sortable } from '../../projections/sortable.ts'
import { transactions } from '../../projections/transactions.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type Bank, created, openBank, opened, posted, posting, timeAt } from './bank.ts'

const day = (n: number): string => timeAt(n * 86_400)

describe('ledger projections', () => {
  const folder = temporaryFolder()
  let bank: Bank

  before(async () => {
    bank = await openBank(folder)
    await bank.record('a', [
      created,
      opened('cash'),
      opened('c:1', { segment: 'retail' }),
      opened('c:10'),
      posted('t-1', [posting('cash', 'c:1', 500), posting('cash', 'c:1', 20)], {
        reference: 'inv-7',
        metadata: { kind: 'salary' },
        effectiveAt: day(3),
      }),
      posted('t-2', [posting('c:1', 'c:10', 70), posting('c:1', 'cash', 3, 'EUR/2')], {
        effectiveAt: day(1),
      }),
      { type: 'OverdraftSet', data: { account: 'c:10', asset: 'CZK/2', overdraft: 'none' } },
      posted('t-3', [posting('c:1', 'c:10', 1)], { effectiveAt: day(3) }),
    ])
    await bank.record('a-b', [created, opened('c:1')])
  })
  after(() => bank.close())

  async function buildOf(projection: Projection): Promise<Build> {
    const build = await bank.openBuild(projection)
    const { store, logId } = bank
    const projector = await createProjector({ projection, build, store, logId })
    const events = await bank.readStream('ledger-a')
    await projector.handle({ events: [...events, ...(await bank.readStream('ledger-a-b'))] })
    return build
  }

  async function bodies(build: Build, query: Partial<Query>): Promise<Record<string, unknown>[]> {
    const whole = { collection: '', index: byId, equals: [], limit: 100, ...query }
    return (await build.find(whole)).documents.map(({ body }) => JSON.parse(body))
  }

  it('show a ledger whole', async () => {
    const build = await buildOf(ledgers)
    const [ledger] = await bodies(build, { collection: 'ledgers' })
    expect(ledger).to.deep.equal({
      ledger: 'a',
      accountOpening: 'explicit',
      metadata: { country: 'cz' },
      createdAt: timeAt(0),
      accounts: 3,
      transactions: 3,
      assets: { 'CZK/2': { volume: '591', postings: 4 }, 'EUR/2': { volume: '3', postings: 1 } },
      changedAt: timeAt(7),
      changedRevision: '7',
    })
  })

  it('show an account with its balances', async () => {
    const build = await buildOf(accounts)
    const [stored] = await build.get('accounts', ['ledger-a/c:1'])
    expect(stored?.revision).to.equal(7n)
    expect(JSON.parse(stored?.body ?? '')).to.deep.equal({
      ledger: 'a',
      account: 'c:1',
      status: 'open',
      overdrafts: { 'CZK/2': 'unlimited' },
      metadata: { segment: 'retail' },
      openedAt: timeAt(2),
      openedRevision: '2',
      balances: {
        'CZK/2': {
          ...{ balance: '449', available: '449', held: '0', in: '520', out: '71', count: 4 },
          ...{ changedAt: timeAt(7), changedRevision: '7' },
        },
        'EUR/2': {
          ...{ balance: '-3', available: '-3', held: '0', in: '0', out: '3', count: 1 },
          ...{ changedAt: timeAt(5), changedRevision: '5' },
        },
      },
    })
  })

  it('show a statement, newest first, with the balance after each transaction', async () => {
    const build = await buildOf(accounts)
    const query = { collection: 'entries', index: 'by-account', equals: ['a', 'c:1'] }
    const entries = await bodies(build, { ...query, direction: 'backward' })
    const lines = entries.map((one) => [one.transaction, one.asset, one.change, one.balance])
    expect(lines).to.deep.equal([
      ['t-3', 'CZK/2', '-1', '449'],
      ['t-2', 'EUR/2', '-3', '-3'],
      ['t-2', 'CZK/2', '-70', '450'],
      ['t-1', 'CZK/2', '20', '520'],
      ['t-1', 'CZK/2', '500', '520'],
    ])
    expect(entries.at(-1)).to.deep.equal({
      ...{ ledger: 'a', account: 'c:1', asset: 'CZK/2', direction: 'in', amount: '500' },
      ...{ change: '500', balance: '520', counterparty: 'cash', transaction: 't-1', posting: 0 },
      ...{ reference: 'inv-7', effectiveAt: day(3), recordedAt: timeAt(4), revision: '4' },
    })
  })

  it('sum an account’s days in the order of effective time', async () => {
    const build = await buildOf(accounts)
    const prefix = monthsOf(ledgerStream('a'), 'c:1', 'CZK/2')
    expect(await bodies(build, { collection: 'months', prefix })).to.deep.equal([
      {
        ...{ ledger: 'a', account: 'c:1', asset: 'CZK/2', month: '2026-01' },
        days: [
          { day: '2026-01-02', in: '0', out: '70', count: 1 },
          { day: '2026-01-04', in: '520', out: '1', count: 3 },
        ],
      },
    ])
  })

  it('find accounts by address, asset and metadata, within their ledger', async () => {
    const build = await buildOf(accounts)
    const found = async (query: Partial<Query>) =>
      (await bodies(build, { collection: 'accounts', ...query })).map(({ account }) => account)
    expect(await found({ prefix: 'ledger-a/' })).to.deep.equal(['c:1', 'c:10', 'cash'])
    expect(await found({ prefix: 'ledger-a/c:' })).to.deep.equal(['c:1', 'c:10'])
    expect(await found({ index: 'by-asset', equals: ['a', 'EUR/2'] })).to.deep.equal([
      'c:1',
      'cash',
    ])
    const inEuro = { index: 'by-asset', equals: ['a', 'EUR/2'], prefix: 'ledger-a/c:' }
    expect(await found(inEuro)).to.deep.equal(['c:1'])
    expect(await found({ index: 'by-tag', equals: ['a', 'segment=retail'] })).to.deep.equal(['c:1'])
    expect(await found({ index: 'by-status', equals: ['a-b', 'open'] })).to.deep.equal(['c:1'])
  })

  it('find transactions by id, revision, account, reference, time and metadata', async () => {
    const build = await buildOf(transactions)
    const found = async (query: Partial<Query>) =>
      (await bodies(build, { collection: 'transactions', ...query })).map(({ id }) => id)
    const [stored] = await build.get('transactions', ['ledger-a/t-1'])
    expect(JSON.parse(stored?.body ?? '')).to.deep.equal({
      ...{ ledger: 'a', id: 't-1', revision: '4', effectiveAt: day(3), recordedAt: timeAt(4) },
      ...{ reference: 'inv-7', metadata: { kind: 'salary' } },
      postings: [posting('cash', 'c:1', 500), posting('cash', 'c:1', 20)],
    })
    const newest = { index: 'by-revision', equals: ['a'], direction: 'backward' } as const
    expect(await found(newest)).to.deep.equal(['t-3', 't-2', 't-1'])
    expect(await found({ index: 'by-account', equals: ['a', 'cash'] })).to.deep.equal([
      't-1',
      't-2',
    ])
    expect(await found({ index: 'by-reference', equals: ['a', 'inv-7'] })).to.deep.equal(['t-1'])
    const range = { index: 'by-effective-time', equals: ['a'], from: day(2), to: day(4) }
    expect(await found(range)).to.deep.equal(['t-1', 't-3'])
    expect(await found({ index: 'by-tag', equals: ['a', 'kind=salary'] })).to.deep.equal(['t-1'])
    const both = { index: 'by-account', equals: ['a', 'cash'], where: { tag: 'kind=salary' } }
    expect(await found(both)).to.deep.equal(['t-1'])
  })

  it('fold a transaction of a thousand postings in linear time', async () => {
    const names = Array.from({ length: 1_000 }, (_, n) => `p:${n}`)
    const postings = names.map((name) => posting('cash', name, 1))
    const stream = 'ledger-wide'
    await bank.record('wide', [created, opened('cash'), ...names.map((name) => opened(name))])
    await bank.record('wide', [posted('wide', postings)])
    const events = await bank.readStream(stream)
    const build = await bank.openBuild(accounts)
    const { store, logId } = bank
    const projector = await createProjector({ projection: accounts, build, store, logId })
    await projector.handle({ events: events.slice(0, -1) })
    const begin = performance.now()
    await projector.handle({ events: events.slice(-1) })
    expect(performance.now() - begin).to.be.below(1_000)
    const [cash] = await build.get('accounts', ['ledger-wide/cash'])
    expect(JSON.parse(cash?.body ?? '').balances['CZK/2'].balance).to.equal('-1000')
  })

  it('sort numbers within ids by their value', () => {
    const numbers = [0, 1, 9, 10, 99, 100, 12_345, 999_999_999_999, 2 ** 53 - 1]
    const texts = numbers.map(sortable)
    expect(texts.toSorted()).to.deep.equal(texts)
    expect(sortable(12n)).to.equal('b12')
  })
})
