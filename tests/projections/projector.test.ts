import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import type { RecordedEvent } from '../../events/event-store.ts'
import type { LedgerEvent } from '../../events/ledger.ts'
import { type Account, accounts } from '../../projections/accounts.ts'
import { catchUp } from '../../projections/catch-up.ts'
import { fillBuilds } from '../../projections/fill-builds.ts'
import { FoldSpoiled } from '../../projections/fold.ts'
import { ledgers } from '../../projections/ledgers.ts'
import type { Projection } from '../../projections/projection.ts'
import { createProjector, ProjectionHalted } from '../../projections/projector.ts'
import type { Alarm } from '../../projections/projector-options.ts'
import type { Build } from '../../projections/read-model-store.ts'
import { skipEvent } from '../../projections/skip-event.ts'
import { transactions } from '../../projections/transactions.ts'
import { failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import {
  arbitraryHistory,
  type Bank,
  balancesOf,
  created,
  digest,
  killedInWrite,
  openBank,
  opened,
  posted,
  posting,
  timeAt,
} from './bank.ts'

const projections: readonly Projection[] = [ledgers, accounts, transactions]

const history: readonly LedgerEvent[] = [
  created,
  opened('bank:cash'),
  opened('customers:1', { segment: 'retail' }),
  opened('customers:2'),
  posted('t1', [posting('bank:cash', 'customers:1', 1_000)], { reference: 'salary' }),
  posted('t2', [
    posting('customers:1', 'customers:2', 250),
    posting('customers:1', 'bank:cash', 5),
  ]),
  { type: 'OverdraftSet', data: { account: 'customers:2', asset: 'EUR/2', overdraft: '100' } },
  posted('t3', [posting('customers:2', 'bank:cash', 40, 'EUR/2')], { effectiveAt: timeAt(-9e6) }),
  posted('t4', [posting('customers:2', 'customers:1', 7)]),
]

describe('projector', () => {
  const folder = temporaryFolder()
  let bank: Bank
  let ledgerCount = 0
  const alarms: Alarm[] = []

  before(async () => {
    bank = await openBank(folder)
  })
  after(() => bank.close())
  beforeEach(() => {
    alarms.length = 0
  })

  const newLedger = () => {
    ledgerCount += 1
    return `l-${ledgerCount}`
  }
  const start = (projection: Projection, build: Build) =>
    createProjector({
      ...{ projection, build, store: bank.store, logId: bank.logId },
      onAlarm: (alarm) => alarms.push(alarm),
    })

  /** The digest of a build that got the events once, in one delivery. */
  async function plainDigest(projection: Projection, events: readonly RecordedEvent[]) {
    const build = await bank.openBuild(projection)
    await (await start(projection, build)).handle({ events })
    return digest(build, projection)
  }

  for (const projection of projections) {
    describe(projection.name, () => {
      it('is the same when each event comes twice, and the whole log again (C-10)', async () => {
        const events = await bank.record(newLedger(), history)
        const expected = await plainDigest(projection, events)
        const build = await bank.openBuild(projection)
        const projector = await start(projection, build)
        for (const event of events) {
          await projector.handle({ events: [event, event] })
          await projector.handle({ events: [event] })
        }
        await projector.handle({ events })
        expect(await digest(build, projection)).to.deep.equal(expected)
        await (await start(projection, build)).handle({ events })
        expect(await digest(build, projection)).to.deep.equal(expected)
        expect(expected.length).to.be.greaterThan(1)
      })

      it('is the same after a kill within a write, in other batches (C-05)', async () => {
        const events = await bank.record(newLedger(), history)
        const expected = await plainDigest(projection, events)
        const parts = [
          () => ({}),
          ({ finals }: { finals: readonly never[] }) => ({ finals }),
          ({ finals, documents }: { finals: readonly never[]; documents: readonly never[] }) => ({
            finals,
            documents: documents.slice(0, 1),
          }),
          ({ finals, documents }: { finals: readonly never[]; documents: readonly never[] }) => ({
            finals,
            documents,
          }),
        ]
        for (const part of parts) {
          const build = await bank.openBuild(projection)
          const killed = await start(projection, killedInWrite(build, part as never))
          const failure = await failureOf(killed.handle({ events: events.slice(0, 7) }))
          expect(failure.message).to.equal('killed')
          const next = await start(projection, build)
          await next.handle({ events: events.slice(0, 3) })
          await next.handle({ events: events.slice(3) })
          expect(await digest(build, projection)).to.deep.equal(expected)
          // and the one that was not killed but only refused goes on as well
          await killed.handle({ events })
          expect(await digest(build, projection)).to.deep.equal(expected)
        }
      })

      it('fills what the bus did not bring from the event store (C-12)', async () => {
        const events = await bank.record(newLedger(), history)
        const build = await bank.openBuild(projection)
        const projector = await start(projection, build)
        await projector.handle({ events: events.slice(0, 2) })
        await projector.handle({ events: events.slice(-1) })
        expect(await digest(build, projection)).to.deep.equal(await plainDigest(projection, events))
        expect(projector.state().gapsFilled).to.equal(1)
        expect(alarms.map(({ kind }) => kind)).to.deep.equal(['gap'])
      })

      it('is the same when two of them share a build, each late in turn (C-11)', async () => {
        const streams = [
          await bank.record(newLedger(), history),
          await bank.record(newLedger(), history),
        ]
        const all = streams.flat()
        const build = await bank.openBuild(projection)
        const [one, other] = [await start(projection, build), await start(projection, build)]
        for (let n = 0; n < history.length; n += 2) {
          for (const events of streams) await one.handle({ events: events.slice(n, n + 1) })
          for (const events of streams) await other.handle({ events: events.slice(n, n + 2) })
        }
        await one.handle({ events: all })
        expect(await digest(build, projection)).to.deep.equal(await plainDigest(projection, all))
      })
    })
  }

  it('equals the plain fold for any history, batches and repeats, and sums to zero', async () => {
    const batches = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 9 })), { maxLength: 12 })
    const law = fc.asyncProperty(arbitraryHistory, batches, async (events, deliveries) => {
      const ledger = newLedger()
      const recorded = await bank.record(ledger, events)
      const build = await bank.openBuild(accounts)
      const projector = await start(accounts, build)
      for (const [from, count] of deliveries) {
        const begin = from % recorded.length
        await projector.handle({ events: recorded.slice(begin, begin + count) })
      }
      await projector.handle({ events: recorded })
      const sums = new Map<string, bigint>()
      const balances = new Map<string, bigint>()
      const query = { collection: 'accounts', index: 'id', equals: [], limit: 100 }
      for (const { body } of (await build.find(query)).documents) {
        const account = JSON.parse(body) as Account
        for (const [asset, { balance }] of Object.entries(account.balances)) {
          balances.set(`${account.account} ${asset}`, BigInt(balance))
          sums.set(asset, (sums.get(asset) ?? 0n) + BigInt(balance))
        }
      }
      expect(balances).to.deep.equal(balancesOf(events))
      for (const sum of sums.values()) expect(sum).to.equal(0n)
      expect(await digest(build, accounts)).to.deep.equal(await plainDigest(accounts, recorded))
      await bank.readModels.dropBuild(build.name)
    })
    await fc.assert(law, { numRuns: 25 })
  })

  describe('with an event that cannot be applied (C-13)', () => {
    /** Accounts, but a transaction fails as long as the fault lasts. */
    function faulty(fault: { id: string | undefined }): Projection {
      const [first, ...others] = accounts.collections
      if (!first) throw new Error('accounts has collections')
      const evolve: typeof first.evolve = (body, event, id) => {
        const data = event.data as { readonly id?: string }
        if (fault.id !== undefined && data.id === fault.id) throw new Error(`${fault.id} is bad`)
        return first.evolve(body, event, id)
      }
      return { ...accounts, collections: [{ ...first, evolve }, ...others] }
    }

    it('parks its stream before it, lets others flow, and retries in order', async () => {
      const fault: { id: string | undefined } = { id: 't2' }
      const projection = faulty(fault)
      const bad = await bank.record(newLedger(), history)
      const good = await bank.record(newLedger(), history.slice(0, 5))
      const build = await bank.openBuild(projection)
      const projector = await start(projection, build)
      await projector.handle({ events: [...bad.slice(0, 8), ...good] })
      await projector.handle({ events: bad.slice(8) })
      const stream = bad[0]?.stream ?? ''
      const [parked] = await build.parked(stream)
      expect(parked).to.include({ stream, revision: 5n, reason: 't2 is bad' })
      expect(await build.progress(stream)).to.equal(4n)
      expect(await build.progress(good[0]?.stream ?? '')).to.equal(4n)
      const upTo = await plainDigest(accounts, [...bad.slice(0, 5), ...good])
      const documents = (await digest(build, projection)).filter((one) => !one.includes(' p '))
      expect(documents).to.deep.equal(upTo)
      expect(projector.state().parked).to.equal(1)
      expect(alarms).to.have.length(1)

      expect(await projector.retry(stream)).to.equal(false)
      fault.id = 't3'
      expect(await projector.retry(stream)).to.equal(false)
      expect((await build.parked(stream))[0]).to.include({ revision: 7n, reason: 't3 is bad' })
      fault.id = undefined
      const restarted = await start(projection, build)
      expect(restarted.state().parked).to.equal(1)
      expect(await restarted.retry(stream)).to.equal(true)
      expect(await digest(build, projection)).to.deep.equal(
        await plainDigest(accounts, [...bad, ...good]),
      )
    })

    /** A history whose sixth event, of a type that is known, has not its shape. */
    async function withBadShape(metadata: string): Promise<RecordedEvent[]> {
      const ledger = newLedger()
      await bank.record(ledger, history.slice(0, 5))
      const bad = { id: randomUUID(), type: 'TransactionPosted', data: '{"id":7}', metadata }
      await bank.store.append(`ledger-${ledger}`, 4n, [bad])
      await bank.record(ledger, history.slice(5))
      return bank.readStream(`ledger-${ledger}`)
    }

    for (const [what, metadata] of Object.entries({
      data: `{"recordedAt":"${timeAt(0)}","schemaVersion":1}`,
      metadata: 'not JSON',
    })) {
      it(`parks the stream of an event whose ${what} cannot be read, until it is skipped`, async () => {
        const bad = await withBadShape(metadata)
        const good = await bank.record(newLedger(), history)
        const stream = bad[0]?.stream ?? ''
        const build = await bank.openBuild(accounts)
        const projector = await start({ ...accounts, version: 7 }, build) // skips are of a version
        await projector.handle({ events: [...good, ...bad.slice(0, 6)] })
        await projector.handle({ events: bad.slice(6) })
        expect((await build.parked()).map((one) => [one.stream, one.revision])).to.deep.equal([
          [stream, 5n],
        ])
        expect(await build.progress(stream)).to.equal(4n)
        expect(await build.progress(good[0]?.stream ?? '')).to.equal(8n)
        expect(await projector.retry(stream)).to.equal(false)
        const skip = { by: 'ops', projection: 'accounts-v7', reason: 'bad', revision: '5', stream }
        await skipEvent(bank.store, skip, { newId: randomUUID, now: timeAt(0) })
        expect(await projector.retry(stream)).to.equal(true)
        expect(await build.progress(stream)).to.equal(9n)
      })
    }

    it('parks a stream at its first event', async () => {
      const events = await bank.record(newLedger(), [opened('nobody')])
      const build = await bank.openBuild(ledgers)
      const projector = await start(ledgers, build)
      await projector.handle({ events })
      const stream = events[0]?.stream ?? ''
      expect((await build.parked(stream))[0]?.reason).to.contain('never created')
      expect(await build.progress(stream)).to.equal(undefined)
    })

    it('leaves an event out that an operator skipped, also when built again', async () => {
      const projection = faulty({ id: 't2' })
      const events = await bank.record(newLedger(), history)
      const stream = events[0]?.stream ?? ''
      const build = await bank.openBuild(projection)
      const projector = await start(projection, build)
      await projector.handle({ events })
      expect(projector.state()).to.include({ parked: 1, isIncomplete: false })
      const skip = { by: 'ops', projection: 'accounts-v1', reason: 'bad', revision: '5', stream }
      await skipEvent(bank.store, skip, { newId: randomUUID, now: timeAt(0) })
      expect(await projector.retry(stream)).to.equal(true)
      expect(projector.state()).to.include({ parked: 0, isIncomplete: true })
      expect(await build.progress(stream)).to.equal(8n)
      expect(await plainDigest(accounts, events)).to.deep.equal(await digest(build, projection))
      const entries = { collection: 'entries', index: 'id', equals: [], limit: 100 }
      const texts = (await build.find(entries)).documents.map(({ body }) => body).join()
      expect(texts).to.contain('"t3"').and.not.to.contain('"t2"')
    })
  })

  it('parks a stream when an event fails half-way, with nothing of it in any document', async () => {
    const [first, ...others] = accounts.collections
    if (!first) throw new Error('accounts has collections')
    let isFaulty = true
    const evolve: typeof first.evolve = (body, event, id) => {
      const { type, data } = event
      const isLast = type === 'TransactionPosted' && id.endsWith('customers:2')
      if (isFaulty && isLast && (data as { id: string }).id === 't2') throw new Error('t2 is bad')
      return first.evolve(body, event, id)
    }
    const projection = { ...accounts, collections: [{ ...first, evolve }, ...others] }
    const bad = await bank.record(newLedger(), history)
    const good = await bank.record(newLedger(), history.slice(0, 5))
    const stream = bad[0]?.stream ?? ''
    const { store, logId } = bank
    const expected = await plainDigest(accounts, [...bad.slice(0, 5), ...good])
    const withoutParked = async (build: Build) =>
      (await digest(build, projection)).filter((one) => !one.includes(' p '))

    const live = await bank.openBuild(projection)
    const projector = await start(projection, live)
    await projector.handle({ events: bad.slice(0, 2) })
    const delivery = { events: [...bad.slice(2), ...good] }
    expect(await failureOf(projector.handle(delivery))).to.be.instanceOf(FoldSpoiled)
    await projector.handle(delivery)
    expect((await live.parked(stream))[0]).to.include({ revision: 5n, reason: 't2 is bad' })
    expect(await withoutParked(live)).to.deep.equal(expected)

    const filled = await bank.openBuild(projection)
    await catchUp([await start(projection, filled)], { store, logId })
    expect((await filled.parked(stream))[0]).to.include({ revision: 5n, reason: 't2 is bad' })
    const ofBoth = (text: string) => [bad, good].some(([one]) => text.includes(`${one?.stream}`))
    expect((await withoutParked(filled)).filter(ofBoth)).to.deep.equal(expected)

    expect(await projector.retry(stream)).to.equal(false)
    expect(await withoutParked(live)).to.deep.equal(expected)
    isFaulty = false
    expect(await projector.retry(stream)).to.equal(true)
    expect(await digest(live, projection)).to.deep.equal(
      await plainDigest(accounts, [...bad, ...good]),
    )
  })

  it('folds heavy events in parts, and all of the delivery in effect', async () => {
    const wide = Array.from({ length: 1_000 }, () => posting('bank:cash', 'customers:1', 1))
    const heavy = Array.from({ length: 80 }, (_, n) => posted(`heavy-${n}`, wide))
    const ledger = newLedger()
    await bank.record(ledger, history)
    for (let n = 0; n < heavy.length; n += 8) await bank.record(ledger, heavy.slice(n, n + 8))
    const events = await bank.readStream(`ledger-${ledger}`)
    const build = await bank.openBuild(accounts)
    let writes = 0
    const counted: Build = {
      ...build,
      write(changes) {
        writes += 1
        return build.write(changes)
      },
    }
    await (await start(accounts, counted)).handle({ events })
    expect(writes).to.be.greaterThan(1)
    const [cash] = await build.get('accounts', [`ledger-${ledger}/bank:cash`])
    const { balances } = JSON.parse(cash?.body ?? '') as Account
    expect(balances['CZK/2']).to.include({ out: '81000', balance: '-80995' })
    expect(await build.progress(`ledger-${ledger}`)).to.equal(BigInt(events.length - 1))
  })

  it('keeps few documents in memory, however many a delivery makes', async () => {
    const maxUnwrittenDocuments = 100
    const accountsOpened = Array.from({ length: 1_000 }, (_, n) => opened(`customers:1:${n}`))
    const events = await bank.record(newLedger(), [...history, ...accountsOpened])
    const expected = await plainDigest(accounts, events)
    const { store, logId } = bank

    /** A build that says how much each write had, and how often one of them covered the log. */
    const watched = (build: Build) => {
      const writes: { readonly documents: number; readonly covers: boolean }[] = []
      const write: Build['write'] = (changes) => {
        const { documents, coverage } = changes
        writes.push({ documents: documents.length, covers: coverage !== undefined })
        return build.write(changes)
      }
      return { writes, build: { ...build, write } }
    }
    const handlers: Record<string, (build: Build) => Promise<void>> = {
      async 'one delivery'(build) {
        const options = { projection: accounts, build, store, logId, maxUnwrittenDocuments }
        await (await createProjector(options)).handle({ events })
      },
      async 'a delivery while a build is filled'(build) {
        const options = { projection: accounts, build, store, logId, maxUnwrittenDocuments }
        const projector = await createProjector({ ...options, eventsPerCheckpoint: 200_000 })
        await projector.handle({ events })
        const last = events.at(-1)?.position ?? ''
        await projector.handle({ events: [], marker: { logId, position: last } })
      },
    }
    for (const [what, handle] of Object.entries(handlers)) {
      const build = await bank.openBuild(accounts)
      const { writes, build: counted } = watched(build)
      await handle(counted)
      // what one fold of 250 events makes comes on top
      const most = Math.max(...writes.map(({ documents }) => documents))
      expect(most, what).to.be.below(400)
      expect(writes.filter(({ documents }) => documents > 0).length, what).to.be.greaterThan(2)
      expect(writes.filter(({ covers }) => covers).length, what).to.equal(1)
      expect(writes.at(-1)?.covers, what).to.equal(true)
      expect(await digest(build, accounts), what).to.deep.equal(expected)
    }
  })

  it('fills a build to the byte as it is written live, for any history and batches', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 })
    const law = fc.asyncProperty(arbitraryHistory, sizes, async (events, deliveries) => {
      const folderOfOne = mkdtempSync(join(folder, 'filled-'))
      const one = await openBank(folderOfOne)
      const { store, readModels, logId } = one
      const recorded = await one.record('x', events)
      for (const projection of projections) {
        const live = await one.openBuild(projection)
        let projector = await createProjector({ projection, build: live, store, logId })
        for (let at = 0, turn = 0; at < recorded.length; turn += 1) {
          const count = deliveries[turn % deliveries.length] ?? 1
          await projector.handle({ events: recorded.slice(at, at + count) })
          at += count
          // as after a restart: documents come from the store, not from memory
          if (turn % 2) projector = await createProjector({ projection, build: live, store, logId })
        }
        const build = `${projection.name}-v1.99`
        await fillBuilds([{ projection, build }], { store, readModels, logId })
        const filled = await readModels.openBuild(build, projection.collections)
        expect(await digest(filled, projection)).to.deep.equal(await digest(live, projection))
      }
      await one.close()
      rmSync(folderOfOne, { recursive: true })
    })
    await fc.assert(law, { numRuns: 10 })
  })

  it('halts at an event that the program does not know, and writes nothing of it (C-14)', async () => {
    const events = await bank.record(newLedger(), history.slice(0, 2))
    const stream = events[0]?.stream ?? ''
    const metadata = `{"recordedAt":"${timeAt(0)}","schemaVersion":99}`
    const unknown = { id: randomUUID(), type: 'AccountOpened', data: '{}', metadata }
    await bank.store.append(stream, 1n, [unknown])
    const build = await bank.openBuild(accounts)
    const projector = await start(accounts, build)
    const all = await bank.readStream(stream)
    expect(await failureOf(projector.handle({ events: all }))).to.be.instanceOf(ProjectionHalted)
    expect(await digest(build, accounts)).to.deep.equal([])
    expect(projector.state().halted).to.contain('v99 is newer')
    expect(alarms.map(({ kind }) => kind)).to.deep.equal(['halted'])
    expect(await failureOf(projector.handle({ events }))).to.be.instanceOf(ProjectionHalted)
  })

  it('leaves nothing open in the store when it halts in the middle of a delivery', async () => {
    const events = await bank.record(newLedger(), history)
    const stream = events[0]?.stream ?? ''
    const many = Array.from({ length: 300 }, (_, n) => posted(`m-${n}`, [posting('a', 'b', 1)]))
    await bank.record(stream.slice('ledger-'.length), [opened('a'), opened('b'), ...many])
    const metadata = `{"recordedAt":"${timeAt(0)}","schemaVersion":99}`
    const unknown = { id: randomUUID(), type: 'AccountOpened', data: '{}', metadata }
    await bank.store.append(stream, 'any', [unknown])
    const build = await bank.openBuild(accounts)
    const calls: string[] = []
    const watched: Build = {
      ...build,
      write(changes) {
        calls.push('write')
        return build.write(changes)
      },
      abandon() {
        calls.push('abandon')
        return build.abandon()
      },
    }
    const projector = await start(accounts, watched)
    const all = await bank.readStream(stream)
    expect(await failureOf(projector.handle({ events: all }))).to.be.instanceOf(ProjectionHalted)
    expect(calls).to.deep.equal(['abandon', 'write', 'abandon'])
    expect(await digest(build, accounts)).to.deep.equal([])
  })

  it('counts a command that changed nothing as progress, and other categories not at all', async () => {
    const events = await bank.record(newLedger(), history.slice(0, 2))
    const stream = events[0]?.stream ?? ''
    const metadata = `{"recordedAt":"${timeAt(0)}","schemaVersion":1}`
    const accepted = { id: randomUUID(), type: 'CommandAccepted', data: '{}', metadata }
    await bank.store.append(stream, 1n, [accepted])
    const build = await bank.openBuild(accounts)
    const projector = await start(accounts, build)
    const others = await bank.readStream('log-identity')
    await projector.handle({ events: [...others, ...(await bank.readStream(stream))] })
    expect(await build.allProgress()).to.deep.equal([{ stream, revision: 2n }])
  })

  it('covers the log as far as events and markers of this log say', async () => {
    const events = await bank.record(newLedger(), history)
    const { logId } = bank
    const build = await bank.openBuild(accounts)
    const projector = await start(accounts, build)
    const last = events.at(-1)?.position ?? ''
    await projector.handle({ events })
    expect((await build.coverage())?.position).to.equal(last)
    const level = { logId, position: last, levelAt: '2026-02-01T00:00:00.000Z' }
    await projector.handle({ events: [], marker: level })
    expect({ ...(await build.coverage()) }).to.deep.equal(level)
    await projector.handle({ events: events.slice(0, 1), marker: { logId, position: '0' } })
    expect({ ...(await build.coverage()) }).to.deep.equal(level)
    const foreign = projector.handle({ events: [], marker: { ...level, logId: 'another' } })
    expect(await failureOf(foreign)).to.be.instanceOf(ProjectionHalted)
    const otherLog = { projection: accounts, build, store: bank.store, logId: 'another' }
    expect(await failureOf(createProjector(otherLog))).to.be.instanceOf(ProjectionHalted)
  })
})
