import { expect } from 'chai'
import fc from 'fast-check'
import { accounts } from '../../projections/accounts.ts'
import { createProjector } from '../../projections/projector.ts'
import type { Build } from '../../projections/read-model-store.ts'
import { type Totals, trialBalance } from '../../projections/trial-balance.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { arbitraryHistory, type Bank, balancesOf, openBank } from './bank.ts'

/** Totals computed from balances the plain way. */
function plainTotals(balances: ReadonlyMap<string, bigint>, prefix = ''): Map<string, bigint[]> {
  const totals = new Map<string, bigint[]>()
  for (const [key, balance] of balances) {
    const [account = '', asset = ''] = key.split(' ')
    if (!account.startsWith(prefix)) continue
    const [positive = 0n, negative = 0n, count = 0n] = totals.get(asset) ?? []
    totals.set(asset, [
      positive + (balance > 0n ? balance : 0n),
      negative + (balance < 0n ? balance : 0n),
      count + 1n,
    ])
  }
  return totals
}

const comparable = (totals: Totals | undefined): Map<string, bigint[]> =>
  new Map(
    [...(totals ?? [])].map(([asset, { positive, negative, accounts: count }]) => [
      asset,
      [positive, negative, BigInt(count)],
    ]),
  )

describe('trial balance', () => {
  const folder = temporaryFolder()
  let bank: Bank
  let count = 0

  before(async () => {
    bank = await openBank(folder)
  })
  after(() => bank.close())

  async function projectorOf(build: Build) {
    const { store, logId } = bank
    return createProjector({ projection: accounts, build, store, logId })
  }

  it('is of one revision, any that was asked for, and sums to zero', async () => {
    const law = fc.asyncProperty(arbitraryHistory, fc.nat(), async (events, at) => {
      count += 1
      const ledger = `l-${count}`
      const build = await bank.openBuild(accounts)
      await (await projectorOf(build)).handle({ events: await bank.record(ledger, events) })
      const revision = BigInt(at % events.length)
      const past = balancesOf(events.slice(0, Number(revision) + 1))
      const result = await trialBalance(build, ledger, { atRevision: revision, depth: 1 })
      expect(result?.revision).to.equal(revision)
      expect(comparable(result?.total)).to.deep.equal(plainTotals(past))
      for (const { sum } of result?.total.values() ?? []) expect(sum).to.equal(0n)
      expect(comparable(result?.byPrefix.get('bank'))).to.deep.equal(plainTotals(past, 'bank:'))
      const latest = await trialBalance(build, ledger, { prefix: 'customers:' })
      expect(comparable(latest?.total)).to.deep.equal(plainTotals(balancesOf(events), 'customers:'))
      await bank.readModels.dropBuild(build.name)
    })
    await fc.assert(law, { numRuns: 25 })
  })

  it('keeps to its revision while accounts change under its reading', async () => {
    const [events = []] = fc.sample(arbitraryHistory, { numRuns: 1, seed: 7 })
    const build = await bank.openBuild(accounts)
    const projector = await projectorOf(build)
    const recorded = await bank.record('moving', events)
    const half = Math.ceil(recorded.length / 2)
    await projector.handle({ events: recorded.slice(0, half) })
    const disturbed: Pick<Build, 'find' | 'progress'> = {
      ...build,
      async find(query) {
        await projector.handle({ events: recorded }) // all the rest comes before the first page
        return build.find(query)
      },
    }
    const result = await trialBalance(disturbed, 'moving')
    expect(result?.revision).to.equal(BigInt(half - 1))
    expect(comparable(result?.total)).to.deep.equal(plainTotals(balancesOf(events.slice(0, half))))
  })

  it('is not there for a ledger or a revision that has not come', async () => {
    const build = await bank.openBuild(accounts)
    expect(await trialBalance(build, 'nobody')).to.equal(undefined)
    const [events = []] = fc.sample(arbitraryHistory, { numRuns: 1, seed: 1 })
    await (await projectorOf(build)).handle({ events: await bank.record('late', events) })
    const atRevision = BigInt(events.length)
    expect(await trialBalance(build, 'late', { atRevision })).to.equal(undefined)
  })
})
