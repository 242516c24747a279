import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { openInProcessEventBus } from '../../adapters/in-process-event-bus.ts'
import type { EventBus } from '../../events/event-bus.ts'
import type { LedgerEvent } from '../../events/ledger.ts'
import { runRelay } from '../../events/relay.ts'
import { accounts } from '../../projections/accounts.ts'
import { catchUp } from '../../projections/catch-up.ts'
import { noDays } from '../../projections/days.ts'
import { fillBuilds } from '../../projections/fill-builds.ts'
import { ledgers } from '../../projections/ledgers.ts'
import type { Projection } from '../../projections/projection.ts'
import { createProjector } from '../../projections/projector.ts'
import type { Alarm } from '../../projections/projector-options.ts'
import {
  type RunningProjections,
  type RunProjectionsOptions,
  runProjections,
} from '../../projections/run-projections.ts'
import { skipEvent } from '../../projections/skip-event.ts'
import { transactions } from '../../projections/transactions.ts'
import { RebuildStuck } from '../../projections/until-as-far.ts'
import { compareBuilds, type Difference } from '../../projections/verify.ts'
import { eventually, failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type Bank, created, digest, openBank, opened, posted, posting, timeAt } from './bank.ts'

const all: readonly Projection[] = [ledgers, accounts, transactions]

describe('running projections', () => {
  const folder = temporaryFolder()
  let bank: Bank
  let bus: EventBus
  let running: RunningProjections
  let relay: Promise<void>
  let stopRelay: AbortController
  let count = 0
  let posts = 0
  const alarms: Alarm[] = []
  const errors: unknown[] = []

  beforeEach(async () => {
    count += 1
    alarms.length = 0
    errors.length = 0
    bank = await openBank(join(folder, `bank-${count}`))
    startBus()
  })
  afterEach(async () => {
    stopRelay.abort()
    await relay
    await running?.stop()
    await bus.close()
    await bank.close()
    expect(errors).to.deep.equal([])
  })

  function startBus(): void {
    bus = openInProcessEventBus({
      markerPath: join(folder, `marker-${count}`),
      onError: (error) => errors.push(error),
    })
    stopRelay = new AbortController()
    const { store, logId } = bank
    const onError = (error: unknown) => errors.push(error)
    relay = runRelay({ store, bus, logId, signal: stopRelay.signal, onError, markerIntervalMs: 5 })
  }

  async function start(
    projections = all,
    different: Partial<RunProjectionsOptions> = {},
  ): Promise<void> {
    const { store, readModels, logId } = bank
    running = await runProjections({
      ...{ projections, store, bus, readModels, logId, dropAfterMs: 30 },
      ...different,
      onAlarm: (alarm) => alarms.push(alarm),
    })
  }

  const post = (): LedgerEvent => {
    posts += 1
    return posted(`t-${posts}`, [posting('a', 'b', posts)])
  }
  const begin = [created, opened('a'), opened('b')]

  const liveBuild = async (projection: Projection) => {
    const name = await bank.readModels.liveBuild(projection.name)
    if (name === undefined) throw new Error(`${projection.name} has no live build`)
    return bank.readModels.openBuild(name, projection.collections)
  }

  async function untilLevel(): Promise<void> {
    for (const projection of all) {
      const build = await liveBuild(projection)
      await eventually(async () => {
        const last = await bank.store.lastRevision('ledger-x')
        return (await build.progress('ledger-x')) === last
      }, `${projection.name} is level`)
    }
  }

  /** What a build is that is made from the log at once. */
  async function freshDigest(projection: Projection): Promise<string[]> {
    const { store, readModels, logId } = bank
    const build = `${projection.name}-v1.999`
    await fillBuilds([{ projection, build }], { store, readModels, logId })
    const opened = await readModels.openBuild(build, projection.collections)
    const texts = await digest(opened, projection)
    await readModels.dropBuild(build)
    return texts
  }

  it('build what is missing, go live and follow the log', async () => {
    await bank.record('x', [...begin, post(), post()])
    await start()
    for (const projection of all) {
      expect(await bank.readModels.liveBuild(projection.name)).to.equal(`${projection.name}-v1.1`)
    }
    expect(await (await liveBuild(accounts)).progress('ledger-x')).to.equal(4n)
    for (let n = 0; n < 20; n += 1) await bank.record('x', [post()])
    await untilLevel()
    for (const projection of all) {
      const build = await liveBuild(projection)
      expect(await digest(build, projection)).to.deep.equal(await freshDigest(projection))
    }
    const [state] = running.states()
    expect(state).to.include({ projection: 'ledgers', parked: 0, gapsFilled: 0, halted: undefined })
    await eventually(() => (running.states()[0]?.lagSeconds ?? 99) < 1, 'a marker says it is level')
  })

  it('go on after a restart with what was missed meanwhile, also in quiet streams', async () => {
    await bank.record('x', begin)
    await bank.record('quiet', begin)
    await start()
    await running.stop()
    await bank.record('quiet', [post()])
    await bank.record('x', [post()])
    await eventually(
      async () => (await bus.lastMarker(bank.logId)) !== undefined,
      'all is published',
    )
    await start()
    expect(await (await liveBuild(accounts)).progress('ledger-quiet')).to.equal(3n)
    expect(alarms).to.deep.equal([])
  })

  it('rebuild beside live writes, switch at once and drop the old build (C-28)', async () => {
    await bank.record('x', [...begin, post()])
    await start()
    const old = await liveBuild(accounts)
    let isDone = false
    const writing = (async () => {
      while (!isDone) await bank.record('x', [post()])
    })()
    const reading = (async () => {
      let seen = 0n
      while (!isDone) {
        const now = (await (await liveBuild(accounts)).progress('ledger-x')) ?? -1n
        expect(now >= seen, `progress went back from ${seen} to ${now}`).to.equal(true)
        seen = now
        await new Promise(setImmediate)
      }
    })()
    const progress: number[] = []
    await running.rebuild('entries', ({ events }) => progress.push(events))
    expect(await bank.readModels.liveBuild('accounts')).to.equal('accounts-v1.2')
    isDone = true
    await Promise.all([writing, reading])
    await untilLevel()
    const live = await liveBuild(accounts)
    expect(await digest(live, accounts)).to.deep.equal(await freshDigest(accounts))
    expect(progress.length).to.be.greaterThan(0)
    await eventually(
      async () => !(await bank.readModels.builds('accounts')).includes(old.name),
      'the old build is dropped',
    )
    expect(running.states().map(({ build }) => build)).to.include('accounts-v1.2')
  })

  it('go on with a rebuild that was killed', async () => {
    await bank.record('x', [...begin, ...Array.from({ length: 40 }, post)])
    await start()
    const { store, readModels, logId } = bank
    const build = await readModels.openBuild('accounts-v1.2', accounts.collections, {
      deferIndexes: true,
    })
    const projector = await createProjector({ projection: accounts, build, store, logId })
    const events = await bank.readStream('ledger-x')
    await projector.handle({ events: events.slice(0, 20) })
    await running.rebuild('accounts')
    expect(await readModels.liveBuild('accounts')).to.equal('accounts-v1.2')
    expect(await digest(build, accounts)).to.deep.equal(await freshDigest(accounts))
  })

  describe('rebuilt where an event cannot be applied', () => {
    /** Accounts, but the transactions in `bad` fail. */
    const bad = new Set<string>()
    const [first, ...others] = accounts.collections
    if (!first) throw new Error('accounts has collections')
    const check: typeof first.check = (_body, { data }) => {
      const { id = '' } = data as { readonly id?: string }
      if (bad.has(id)) throw new Error(`${id} is bad`)
    }
    const faulty: Projection = { ...accounts, collections: [{ ...first, check }, ...others] }
    const parkedIn = async (build: string) =>
      (await (await bank.readModels.openBuild(build, accounts.collections)).parked()).map(
        ({ stream }) => stream,
      )
    const expectStuck = async () => {
      const failure = await failureOf(running.rebuild('accounts'))
      expect(failure).to.be.instanceOf(RebuildStuck)
      expect(await bank.readModels.builds('accounts')).to.deep.equal(['accounts-v1.1'])
      expect(await bank.readModels.liveBuild('accounts')).to.equal('accounts-v1.1')
      return failure.message
    }
    beforeEach(async () => {
      bad.clear()
      for (const ledger of ['x', 'y']) {
        await bank.record(ledger, [...begin, posted(`of-${ledger}`, [posting('a', 'b', 1)])])
      }
    })

    it('are stuck, leave nothing behind, and are rebuilt when it can be applied', async () => {
      await start([faulty])
      bad.add('of-x')
      expect(await expectStuck()).to.contain('ledger-x@3 is parked (of-x is bad)')
      expect(await expectStuck()).to.contain('of-x is bad')
      bad.clear()
      await running.rebuild('accounts')
      const live = await liveBuild(accounts)
      expect(live.name).to.equal('accounts-v1.2')
      expect(await digest(live, accounts)).to.deep.equal(await freshDigest(accounts))
    })

    it('are stuck also where the live build has as much parked, of another stream', async () => {
      bad.add('of-x')
      await start([faulty])
      expect(await parkedIn('accounts-v1.1')).to.deep.equal(['ledger-x'])
      bad.clear()
      bad.add('of-y')
      expect(await expectStuck()).to.contain('of-y is bad')
    })

    it('go live with what the live build has parked as well', async () => {
      bad.add('of-x')
      await start([faulty])
      await running.rebuild('accounts')
      expect(await bank.readModels.liveBuild('accounts')).to.equal('accounts-v1.2')
      expect(await parkedIn('accounts-v1.2')).to.deep.equal(['ledger-x'])
    })

    it('obey a skip that came while they were filled', async () => {
      bad.add('of-x')
      const skip = {
        ...{ by: 'ops', projection: 'accounts-v1', reason: 'bad' },
        ...{ revision: '3', stream: 'ledger-x' },
      }
      let fills = 0
      await start([faulty], {
        async fill(builds, onProgress) {
          const { store, readModels, logId } = bank
          await fillBuilds(builds, { store, readModels, logId, onProgress })
          fills += 1
          if (fills === 1) return
          await skipEvent(store, skip, { newId: randomUUID, now: timeAt(0) })
          expect(await running.retry('accounts', 'ledger-x')).to.equal(true)
        },
      })
      await running.rebuild('accounts')
      const live = await liveBuild(accounts)
      expect(live.name).to.equal('accounts-v1.2')
      expect(await live.parked()).to.deep.equal([])
      expect(await live.progress('ledger-x')).to.equal(3n)
    })
  })

  it('tell of an old build that cannot be dropped', async () => {
    await bank.record('x', begin)
    const dropBuild = () => Promise.reject(new Error('in use'))
    await start(all, { readModels: { ...bank.readModels, dropBuild } })
    await running.rebuild('accounts')
    await eventually(() => alarms.length > 0, 'it is told of')
    const alarm = { kind: 'not-dropped', build: 'accounts-v1.1', detail: 'in use' }
    expect(alarms).to.deep.equal([alarm])
  })

  it('go on while the writes of one fail, which reads the rest from the log later', async () => {
    await bank.record('x', begin)
    await bank.record('quiet', begin)
    let isBroken = false
    const readModels: typeof bank.readModels = {
      ...bank.readModels,
      async openBuild(...which) {
        const build = await bank.readModels.openBuild(...which)
        if (!build.name.startsWith('accounts')) return build
        return {
          ...build,
          write: (changes) =>
            isBroken ? Promise.reject(new Error('no room')) : build.write(changes),
        }
      },
    }
    await start(all, { readModels })
    isBroken = true
    await bank.record('x', [post()])
    await eventually(() => errors.length > 0, 'a write failed')
    await bank.record('quiet', [post()])
    const sets = Array.from({ length: 1_000 }, (): LedgerEvent => {
      return { type: 'OverdraftSet', data: { account: 'a', asset: 'CZK/2', overdraft: '7' } }
    })
    for (let n = 0; n < 25; n += 1) await bank.record('x', sets)
    for (const projection of [ledgers, transactions]) {
      const build = await liveBuild(projection)
      const isLevel = async () => (await build.progress('ledger-x')) === 25_003n
      await eventually(isLevel, `${projection.name} go on`)
    }
    isBroken = false
    errors.length = 0
    await untilLevel()
    expect(await (await liveBuild(accounts)).progress('ledger-quiet')).to.equal(3n)
    expect(alarms).to.deep.equal([])
    errors.length = 0
  }).timeout(30_000)

  it('leave the others alone when one halts at an unknown event (C-14)', async () => {
    await bank.record('x', begin)
    const strict: Projection = {
      ...accounts,
      codec: {
        encode: accounts.codec.encode,
        decode(recorded) {
          const event = accounts.codec.decode(recorded)
          if (event.type !== 'OverdraftSet') return event
          return accounts.codec.decode({ ...recorded, type: 'SomethingNew' })
        },
      },
    }
    await start([ledgers, strict, transactions])
    const data = { account: 'a', asset: 'CZK/2', overdraft: '7' }
    await bank.record('x', [{ type: 'OverdraftSet', data }, post()])
    await eventually(() => alarms.some(({ kind }) => kind === 'halted'), 'it halts')
    await bank.record('x', [post()])
    for (const projection of [ledgers, transactions]) {
      const build = await liveBuild(projection)
      await eventually(async () => (await build.progress('ledger-x')) === 5n, 'the others go on')
    }
    expect(await (await liveBuild(accounts)).progress('ledger-x')).to.equal(2n)
    await eventually(async () => {
      const last = (await bank.readStream('ledger-x')).at(-1)
      return (await bus.lastMarker(bank.logId)) === last?.position
    }, 'markers go on')
    await running.stop()
    await start()
    await untilLevel()
  })

  it('refuse read models of another log', async () => {
    await bank.record('x', begin)
    await start()
    await running.stop()
    const { store, readModels } = bank
    const other = { projections: all, store, bus, readModels, logId: 'another' }
    expect((await failureOf(runProjections(other))).message).to.contain('built from the log')
  })

  it('retry a parked stream by the projection’s name', async () => {
    await bank.record('x', [opened('a')])
    await start()
    expect(running.states().map(({ parked }) => parked)).to.deep.equal([1, 0, 0])
    expect(await running.retry('ledgers', 'ledger-x')).to.equal(false)
    const none = failureOf(Promise.resolve().then(() => running.retry('nothing', 'ledger-x')))
    expect((await none).message).to.contain('no projection nothing')
  })

  describe('compared', () => {
    it('differ exactly where documents differ', async () => {
      await bank.record('x', [...begin, post(), post()])
      await bank.record('y', begin)
      await start()
      const { store, readModels, logId } = bank
      const live = await liveBuild(accounts)
      const shadow = await readModels.openBuild('accounts-v1.5', accounts.collections)
      const projector = await createProjector({ projection: accounts, build: shadow, store, logId })
      await catchUp([projector], { store, logId })
      const compare = async () => {
        const found: Difference[] = []
        for await (const one of compareBuilds(live, shadow, accounts.collections)) found.push(one)
        return found
      }
      expect(await compare()).to.deep.equal([])
      const nothing = { finals: [], documents: [], parked: [], unparked: [], progress: [] }
      const body = { ledger: 'x', status: 'open', metadata: {}, balances: {} }
      const changed = { collection: 'accounts', id: 'ledger-x/a', revision: 900n, body }
      const empty = { days: noDays() }
      const extra = { collection: 'months', id: 'ledger-x/zzz', revision: 1n, body: empty }
      await live.write({ ...nothing, documents: [changed, extra] })
      const found = await compare()
      expect(found.map(({ of }) => of)).to.deep.equal([
        'accounts/ledger-x/a',
        'months/ledger-x/zzz',
      ])
      expect(found[0]?.live).to.equal(`@900 ${JSON.stringify(body)}`)
      expect(found[0]?.shadow).to.contain('"account":"a"')
      expect(found[1]).not.to.have.property('shadow')
      await live.write({ ...nothing, progress: [{ stream: 'ledger-x', revision: 77n }] })
      expect(await compare()).to.deep.equal([
        { kind: 'progress', of: 'ledger-x', live: '77', shadow: '4' },
      ])
    })
  })

  it('show a command soon after it is recorded', async () => {
    await bank.record('x', begin)
    await start()
    const build = await liveBuild(accounts)
    const times: number[] = []
    for (let n = 0; n < 50; n += 1) {
      await bank.store.append('ledger-x', 'any', [
        accounts.codec.encode(post(), randomUUID(), { recordedAt: timeAt(n) }),
      ])
      const begun = performance.now()
      const last = (await bank.store.lastRevision('ledger-x')) ?? 0n
      for (;;) {
        const change = bank.readModels.changed(1_000)
        if (((await build.progress('ledger-x')) ?? -1n) >= last) break
        await change
      }
      times.push(performance.now() - begun)
    }
    times.sort((a, b) => a - b)
    expect(times[25]).to.be.below(100)
  })
})
