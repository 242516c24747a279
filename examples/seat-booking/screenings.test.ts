import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { openSqliteEventStore, type SqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import type { RecordedEvent } from '../../events/event-store.ts'
import { createProjector } from '../../projections/projector.ts'
import type { Build, Query, ReadModelStore } from '../../projections/read-model-store.ts'
import { temporaryFolder } from '../../tests/temporary-folder.ts'
import { type ScreeningEvent, screeningCodec } from './domain/events.ts'
import { screenings } from './screenings.ts'

const at = (second: number): string => new Date(1_767_225_600_000 + second * 1_000).toISOString()

const history: readonly ScreeningEvent[] = [
  {
    type: 'ScreeningOpened',
    data: { capacity: 4, rows: 2, seatsPerRow: 3, startsAt: '2026-02-01T18:00:00.000Z' },
  },
  { type: 'SeatsBooked', data: { booking: 'b1', seats: ['A1', 'A2'] } },
  { type: 'SeatsBooked', data: { booking: 'b2', seats: ['B3'] } },
  { type: 'BookingCancelled', data: { booking: 'b1', seats: ['A1', 'A2'] } },
  { type: 'SeatsBooked', data: { booking: 'b3', seats: ['A2'] } },
]

describe('screenings projection', () => {
  const folder = temporaryFolder()
  let store: SqliteEventStore
  let readModels: ReadModelStore
  let events: RecordedEvent[]

  before(async () => {
    store = await openSqliteEventStore({ path: join(folder, 'events.db') })
    readModels = openSqliteReadModels({ folder: join(folder, 'read-models') })
    const encoded = history.map((event, index) =>
      screeningCodec.encode(event, randomUUID(), { recordedAt: at(index) }),
    )
    await store.append('screening-friday', 'no-stream', encoded)
    events = []
    for await (const page of store.readStream('screening-friday')) events.push(...page)
  })
  after(async () => {
    await readModels.close()
    await store.close()
  })

  /** A new build that was handed these deliveries, one after the other. */
  async function buildFrom(name: string, deliveries: readonly RecordedEvent[][]): Promise<Build> {
    const build = await readModels.openBuild(name, screenings.collections)
    const projector = await createProjector({
      ...{ projection: screenings, build, store, logId: 'log' },
    })
    for (const delivered of deliveries) await projector.handle({ events: delivered })
    expect(projector.state()).include({ parked: 0, halted: undefined })
    return build
  }

  const bookings = async (build: Build, query: Partial<Query>): Promise<string[]> => {
    const whole = { collection: 'bookings', index: 'by-revision', equals: [], limit: 9, ...query }
    const { documents } = await build.find(whole)
    return documents.map(({ body }) => {
      const { booking, status } = JSON.parse(body) as Record<string, string>
      return `${booking} ${status}`
    })
  }

  it('shows the screening and its bookings, found by status and by seat', async () => {
    const build = await buildFrom('screenings-v1.1', [events])
    const [screening] = await build.get('screenings', ['screening-friday'])
    expect(JSON.parse(screening?.body ?? '')).deep.equal({
      ...{ screening: 'friday', capacity: 4, rows: 2, seatsPerRow: 3, booked: 2 },
      startsAt: '2026-02-01T18:00:00.000Z',
    })
    const [first] = await build.get('bookings', ['screening-friday/b1'])
    expect(JSON.parse(first?.body ?? '')).deep.equal({
      ...{ screening: 'friday', booking: 'b1', status: 'cancelled', seats: ['A1', 'A2'] },
      ...{ bookedAt: at(1), revision: '1', cancelledAt: at(3) },
    })
    const equals = ['friday']
    expect(await bookings(build, { equals })).deep.equal([
      ...['b1 cancelled', 'b2 booked', 'b3 booked'],
    ])
    const ofStatus = { index: 'by-status', equals: ['friday', 'booked'] }
    expect(await bookings(build, ofStatus)).deep.equal(['b2 booked', 'b3 booked'])
    const ofSeat = { index: 'by-seat', equals: ['friday', 'A2'] }
    expect(await bookings(build, ofSeat)).deep.equal(['b1 cancelled', 'b3 booked'])
    const whoHasIt = { ...ofSeat, where: { status: 'booked' } }
    expect(await bookings(build, whoHasIt)).deep.equal(['b3 booked'])
  })

  it('is the same when every event comes twice, alone or together', async () => {
    const once = await buildFrom('screenings-v1.2', [events])
    const twiceEach = events.flatMap((event) => [[event], [event]])
    const eachTwice = await buildFrom('screenings-v1.3', twiceEach)
    const allTwice = await buildFrom('screenings-v1.4', [events, events])
    for (const collection of ['screenings', 'bookings']) {
      const all: Query = { collection, index: 'id', equals: [], limit: 9 }
      const expected = await once.find(all)
      expect(expected.documents.length).greaterThan(0)
      expect(await eachTwice.find(all)).deep.equal(expected)
      expect(await allTwice.find(all)).deep.equal(expected)
    }
    expect(await eachTwice.progress('screening-friday')).equal(4n)
  })
})
