import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { openSqliteEventStore, type SqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import type { Marker } from '../../events/event-bus.ts'
import type { EventStore, Position, RecordedEvent } from '../../events/event-store.ts'
import { runRelay } from '../../events/relay.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const logId = 'log'

/** A bus that fails as it is told, and remembers. */
function faultyBus(last?: Position) {
  const published: RecordedEvent[] = []
  const markers: Marker[] = []
  let failures = 0
  return {
    published,
    markers,
    failNext: (times: number) => {
      failures = times
    },
    async publish(events: readonly RecordedEvent[]) {
      if (failures > 0) {
        failures -= 1
        if (failures % 2 === 0) published.push(...events.slice(0, 1)) // some of it got through
        throw new Error('publish failed')
      }
      published.push(...events)
    },
    async mark(marker: Marker) {
      markers.push(marker)
    },
    lastMarker: async () => markers.at(-1)?.position ?? last,
  }
}

describe('relay', () => {
  const folder = temporaryFolder()
  let store: SqliteEventStore
  let appended = 0
  let stop: AbortController
  let running: Promise<void> | undefined
  let count = 0
  const errors: unknown[] = []

  beforeEach(async () => {
    count += 1
    appended = 0
    errors.length = 0
    store = await openSqliteEventStore({ path: join(folder, `log-${count}`, 'events.db') })
  })
  afterEach(async () => {
    stop.abort()
    await running
    await store.close()
  })

  async function append(events: number): Promise<void> {
    for (let n = 0; n < events; n += 1) {
      const stream = `s-${appended % 3}`
      const event = { id: randomUUID(), type: 'Happened', data: '{}', metadata: '{}' }
      await store.append(stream, 'any', [event])
      appended += 1
    }
  }

  function start(
    bus: ReturnType<typeof faultyBus>,
    {
      from = store,
      markerIntervalMs = 5,
    }: { from?: Pick<EventStore, 'subscribe' | 'readAll'>; markerIntervalMs?: number } = {},
  ): void {
    stop = new AbortController()
    running = runRelay({
      ...{ store: from, bus, logId, signal: stop.signal, markerIntervalMs, firstRetryMs: 1 },
      onError: (error) => errors.push(error),
    })
  }

  /** The log's events in order, each at least once; a repeat only ever goes back, never skips. */
  async function expectAll(published: readonly RecordedEvent[]): Promise<void> {
    const log: Position[] = []
    for await (const page of store.readAll()) log.push(...page.map(({ position }) => position))
    const isAllThere = () => new Set(published.map(({ position }) => position)).size === log.length
    await eventually(isAllThere, 'all was published')
    let next = 0
    for (const { position } of published) {
      const place = log.indexOf(position)
      expect(place, `${position} skips events`).to.be.at.most(next)
      next = Math.max(next, place + 1)
    }
  }

  it('publishes what is there and what comes, in order', async () => {
    const bus = faultyBus()
    await append(10)
    start(bus)
    await eventually(() => bus.published.length === 10, 'the past is published')
    await append(10)
    await expectAll(bus.published)
    expect(bus.published).to.have.length(20)
  })

  it('says when it is level, again and again while the log is idle', async () => {
    const bus = faultyBus()
    await append(3)
    start(bus)
    await eventually(() => bus.markers.filter((one) => one.levelAt).length >= 3, 'markers came')
    const last = bus.markers.at(-1)
    expect(last?.logId).to.equal(logId)
    expect(last?.position).to.equal(bus.published.at(-1)?.position)
    const times = bus.markers.flatMap(({ levelAt }) => levelAt ?? [])
    expect(times).to.deep.equal(times.toSorted())
  })

  it('does not call itself level while more of the log is to be read', async () => {
    const bus = faultyBus()
    await append(5)
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>()
    const slow: Pick<EventStore, 'subscribe' | 'readAll'> = {
      readAll: store.readAll,
      async *subscribe(options) {
        for await (const page of store.subscribe(options)) {
          yield page.slice(0, 2)
          await goOn
          yield page.slice(2)
        }
      },
    }
    start(bus, { from: slow })
    await eventually(() => bus.markers.length >= 5, 'markers came in the middle')
    const early = bus.markers.slice()
    release()
    expect(early.flatMap(({ levelAt }) => levelAt ?? [])).to.deep.equal([])
    await eventually(() => bus.markers.some(({ levelAt }) => levelAt), 'it is level')
    const level = bus.markers.find(({ levelAt }) => levelAt)
    expect(level?.position).to.equal(bus.published[4]?.position)
  })

  it('repeats a publish that fails, and skips nothing (C-03, C-15)', async () => {
    const bus = faultyBus()
    bus.failNext(7)
    await append(5)
    start(bus)
    await append(5)
    await expectAll(bus.published)
    expect(errors.length).to.be.at.least(7)
  })

  it('opens a subscription again that fails, after the last acknowledged event', async () => {
    const bus = faultyBus()
    await append(9)
    let openings = 0
    const breaking: Pick<EventStore, 'subscribe' | 'readAll'> = {
      readAll: store.readAll,
      async *subscribe(options) {
        openings += 1
        let left = 2
        for await (const page of store.subscribe(options)) {
          for (const event of page) {
            yield [event]
            left -= 1
            if (left === 0) throw new Error('the subscription broke')
          }
        }
      },
    }
    start(bus, { from: breaking })
    await expectAll(bus.published)
    expect(openings).to.be.greaterThan(3)
    expect(bus.published).to.have.length(9)
  })

  it('goes on after a restart from the last marker: repeats, but no gap (C-03)', async () => {
    const bus = faultyBus()
    await append(6)
    for (let restart = 0; restart < 5; restart += 1) {
      start(bus)
      const before = bus.published.length
      await append(4)
      await eventually(() => bus.published.length > before, 'some was published')
      stop.abort()
      await running
    }
    start(bus)
    await expectAll(bus.published)
  })

  it('begins at the log’s start where the marker is beyond its end', async () => {
    await append(4)
    const bus = faultyBus('9'.repeat(16))
    start(bus)
    await append(2)
    await expectAll(bus.published)
    expect(bus.published).to.have.length(6)
  })

  it('begins where the bus’s marker is, and at the log’s start without one', async () => {
    await append(4)
    const positions: Position[] = []
    for await (const page of store.readAll()) positions.push(...page.map((one) => one.position))
    const bus = faultyBus(positions[1])
    start(bus)
    await eventually(() => bus.published.length === 2, 'the rest is published')
    expect(bus.published.map(({ position }) => position)).to.deep.equal(positions.slice(2))
  })
})
