import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '../../app/config.ts'
import { type Evident, openEvident } from '../../app/open-evident.ts'
import type { Finding } from '../../app/verify/finding.ts'
import type { Verification } from '../../app/verify/verification.ts'
import type { NewEvent } from '../../events/event-store.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import { createLog } from '../../platform/log.ts'
import { eventually } from '../../tests/eventually.ts'
import { temporaryFolder } from '../../tests/temporary-folder.ts'

const domainsModule = new URL('./domains.ts', import.meta.url).href
/** As much of any answer as the tests look at. */
interface Body {
  readonly revision?: string
  readonly recordedAt?: string
  readonly events?: readonly unknown[]
  readonly code?: string
  readonly detail?: string
  readonly items?: readonly unknown[]
  readonly state?: string
  readonly result?: Verification
  readonly projections?: readonly { readonly projection: string; readonly build: string }[]
  readonly paths?: object
}

/** An event as the service of its time wrote it. */
function recorded(
  command: string,
  type: string,
  data: object,
  recordedAt = '2098-01-01T00:00:00.000Z',
): NewEvent {
  const hash = `sha256:${'A'.repeat(43)}`
  const metadata = {
    command: { caller: 'anonymous', count: 1, hash, index: 0, type: command },
    ...{ recordedAt, schemaVersion: 1 },
  }
  const id = randomUUID()
  return { id, type, data: canonicalJson(data), metadata: canonicalJson(metadata) }
}

const hall = { rows: 5, seatsPerRow: 8, capacity: 30, startsAt: '2099-05-03T18:00:00.000Z' }

describe('seat booking beside the ledger, over HTTP', () => {
  const folder = temporaryFolder()
  const config = loadConfig({ DATA_FOLDER: folder, PORT: '0', LOG_LEVEL: 'silent' })
  let evident: Evident

  const open = async (options?: { readonly domainsModule: string }): Promise<void> => {
    evident = await openEvident(config, createLog('silent'), options)
  }

  before(async () => {
    await open() // a folder that had only ledgers until now
    await send('PUT', '/ledgers/main', {})
    await evident.close()
    await open({ domainsModule })
  })
  after(() => evident.close())

  async function send(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ) {
    const response = await fetch(evident.url + path, {
      method,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const { status } = response
    return { status, headers: response.headers, body: (await response.json()) as Body }
  }
  const get = (path: string) => send('GET', path)
  const openScreening = (id: string) => send('PUT', `/screenings/${id}`, hall)
  const book = (screening: string, body: object, headers = {}) =>
    send('POST', `/screenings/${screening}/bookings`, body, headers)
  const cancel = (screening: string, booking: string, headers = {}) =>
    send('POST', `/screenings/${screening}/bookings/${booking}/cancel`, undefined, headers)

  it('books, shows at once what it booked, and refuses a seat that is taken', async () => {
    expect((await openScreening('friday')).status).equal(201)
    const booked = await book('friday', { id: 'b1', seats: ['C4', 'C5'] })
    expect(booked.status).equal(201)
    expect(booked.body.events).deep.equal([
      { type: 'SeatsBooked', data: { booking: 'b1', seats: ['C4', 'C5'] } },
    ])
    const refused = await book('friday', { id: 'b2', seats: ['C5', 'C6'] })
    expect(refused).deep.include({ status: 409 })
    expect(refused.body).include({ code: 'seat-taken', detail: 'C5 is taken' })
    const { revision } = booked.body
    const screening = await get(`/screenings/friday?min-revision=${revision}`)
    expect(screening.body).deep.equal({ screening: 'friday', ...hall, booked: 2 })
    const found = await get('/screenings/friday/bookings?seat=C5&status=booked')
    expect(found.body.items).deep.equal([
      {
        ...{ screening: 'friday', booking: 'b1', status: 'booked', seats: ['C4', 'C5'] },
        ...{ bookedAt: booked.body.recordedAt, revision: '1' },
      },
    ])
  })

  it('serves the ledger from the same port, and each domain its own streams', async () => {
    expect((await get('/ledgers/main')).status).equal(200)
    expect((await get('/ledgers/friday')).body.code).equal('ledger-not-found')
    expect((await book('main', { seats: ['A1'] })).body.code).equal('screening-not-found')
    const { body } = await get('/status')
    expect(body.projections?.map(({ projection }) => projection)).include.members([
      ...['ledgers-v1', 'screenings-v1'],
    ])
  })

  it('answers what is wrong with a request by a code of its own', async () => {
    const codeOf = async (answer: ReturnType<typeof send>) => (await answer).body.code
    expect(await codeOf(openScreening('Friday!'))).equal('invalid-screening-id')
    expect(await codeOf(send('PUT', '/screenings/x', { ...hall, rows: 27 }))).equal('invalid-hall')
    expect(await codeOf(book('friday', { seats: ['c4'] }))).equal('invalid-seat')
    expect(await codeOf(book('friday', { seats: ['A1', 'A1'] }))).equal('invalid-seats')
    expect(await codeOf(book('friday', { seats: ['Z9'] }))).equal('seat-not-in-hall')
    expect(await codeOf(cancel('friday', 'nobody'))).equal('booking-not-found')
    expect(await codeOf(get('/screenings/monday/bookings'))).equal('screening-not-found')
  })

  it('does a command once, by its id or its key', async () => {
    await openScreening('keys')
    const key = { 'Idempotency-Key': 'k1' }
    const first = await book('keys', { seats: ['A1'] }, key)
    const again = await book('keys', { seats: ['A1'] }, key)
    expect(again.headers.get('idempotency-replayed')).equal('true')
    expect(again.body).deep.equal(first.body)
    expect((await book('keys', { seats: ['A2'] }, key)).body.code).equal('idempotency-key-reused')

    await book('keys', { id: 'b1', seats: ['B1'] })
    expect((await cancel('keys', 'b1')).status).equal(201)
    expect((await cancel('keys', 'b1')).body.events).deep.equal([])
    const late = await book('keys', { id: 'b1', seats: ['B1'] })
    expect(late.headers.get('idempotency-replayed')).equal('true') // and it stays cancelled
    expect((await book('keys', { id: 'b1', seats: ['B2'] })).body.code).equal('booking-exists')
    const log = await get('/streams/screening-keys')
    expect(log.body.items).length(4)
  })

  it('cancels what only the log remembers, after a restart', async () => {
    await openScreening('later')
    await book('later', { id: 'long-ago', seats: ['A1', 'A2'] }, { 'Idempotency-Key': 'k' })
    await evident.close()
    const snapshot = readFileSync(join(folder, 'snapshots', 'screening-later.snapshot'), 'utf8')
    expect(snapshot).include('["A1","A2"]')
    expect(snapshot).not.include('long-ago')
    await open({ domainsModule })

    expect((await book('later', { seats: ['A2'] })).body.code).equal('seat-taken')
    const again = await book(
      'later',
      { id: 'long-ago', seats: ['A1', 'A2'] },
      { 'Idempotency-Key': 'k' },
    )
    expect(again.headers.get('idempotency-replayed')).equal('true')
    const cancelled = await cancel('later', 'long-ago')
    expect(cancelled.body.events).deep.equal([
      { type: 'BookingCancelled', data: { booking: 'long-ago', seats: ['A1', 'A2'] } },
    ])
    expect((await book('later', { seats: ['A2'] })).status).equal(201)
  })

  it('reads a booking of version 1 as today’s, and leaves its bytes as they are', async () => {
    const recordedAt = '2019-05-03T18:00:00.000Z'
    const opened = recorded('OpenScreening', 'ScreeningOpened', hall, recordedAt)
    const block = { booking: 'old', count: 3, first: 4, row: 'D' }
    const old = recorded('BookSeats', 'SeatsBooked', block, recordedAt)
    const { store } = evident.writeSide
    await store.append('screening-old', 'no-stream', [opened, old])

    const shown = await get('/screenings/old/bookings/old?min-revision=1')
    expect(shown.body).deep.equal({
      ...{ screening: 'old', booking: 'old', status: 'booked', seats: ['D4', 'D5', 'D6'] },
      ...{ bookedAt: recordedAt, revision: '1' },
    })
    const bySeat = await get('/screenings/old/bookings?seat=D5&min-revision=1')
    expect(bySeat.body.items).deep.equal([shown.body])
    expect((await book('old', { seats: ['D6'] })).body.detail).equal('D6 is taken')
    const cancelled = await cancel('old', 'old')
    expect(cancelled.body.events).deep.equal([
      { type: 'BookingCancelled', data: { booking: 'old', seats: ['D4', 'D5', 'D6'] } },
    ])

    for await (const [stored] of store.readStream('screening-old', { from: 1n, limit: 1 })) {
      expect(stored).include(old)
    }
    const log = await get('/streams/screening-old')
    expect(log.body.items?.[1]).deep.include({
      ...{ type: 'SeatsBooked', data: block, metadata: JSON.parse(old.metadata) },
    })
  })

  it('is rebuilt from the log while it is read, to the same documents', async () => {
    const { revision } = (await book('friday', { seats: ['E1'] })).body
    const paths = ['/screenings/friday', '/screenings/friday/bookings', '/screenings/old/bookings']
    const read = () => Promise.all(paths.map(async (path) => (await get(path)).body))
    await get(`/screenings/friday?min-revision=${revision}`)
    const before = await read()
    expect((await send('POST', '/projections/screenings/rebuild')).status).equal(202)
    await eventually(
      async () => (await get('/projections/screenings/rebuild')).body.state === 'done',
      'the projection is rebuilt',
    )
    expect(await read()).deep.equal(before)
    const { body } = await get('/status')
    const builds = body.projections?.map(({ build }) => build)
    expect(builds).include.members(['screenings-v1.2', 'ledgers-v1.1'])
  })

  async function verify(): Promise<Verification> {
    const at = (await send('POST', '/verifications')).headers.get('location') ?? ''
    let run: Body = {}
    await eventually(async () => {
      run = (await get(at)).body
      return run.state !== 'running'
    }, 'it is verified')
    if (!run.result) throw new Error(JSON.stringify(run))
    return run.result
  }

  it('is verified with the ledger, every event decided again by its own rules', async () => {
    const { listed, streams, snapshots } = await verify()
    expect(listed).deep.equal([])
    expect(streams).deep.equal({ ledger: 1, screening: 4 })
    expect(snapshots).greaterThan(0)
  })

  const unlawful: readonly (readonly [string, NewEvent, Partial<Finding>])[] = [
    [
      'a seat that is had twice',
      recorded('BookSeats', 'SeatsBooked', { booking: 'late', seats: ['E1'] }),
      { check: 'lawful', detail: 'the rules refuse it: seat-taken, E1 is taken' },
    ],
    [
      'a cancellation of seats that only the log remembers',
      recorded('CancelBooking', 'BookingCancelled', { booking: 'b1', seats: ['A8'] }),
      { check: 'lawful', detail: 'the rules make [{"data":{"booking":"b1","seats":["C4","C5"]}' },
    ],
    [
      'a booking’s id that is used twice',
      recorded('BookSeats', 'SeatsBooked', { booking: 'b1', seats: ['A1'] }),
      { check: 'unique-id', detail: 'the booking b1 is there already' },
    ],
    [
      'an event that no command makes',
      recorded('BookSeats', 'ScreeningOpened', hall),
      { check: 'lawful', detail: 'no command BookSeats makes these events: ScreeningOpened' },
    ],
  ]
  it('folds also what no command made, so that what follows is judged as it was decided', async () => {
    const { metadata, ...event } = recorded('BookSeats', 'SeatsBooked', {
      booking: 'o',
      seats: ['A1'],
    })
    const { command, ...rest } = JSON.parse(metadata) as Readonly<Record<string, unknown>>
    expect(command).an('object')
    const orphan = { ...event, metadata: canonicalJson(rest) }
    const { store } = evident.writeSide
    const opened = recorded('OpenScreening', 'ScreeningOpened', hall)
    await store.append('screening-orphan', 'no-stream', [opened, orphan])
    expect((await cancel('orphan', 'o')).status).equal(201)
    const { listed } = await verify()
    expect(listed).deep.equal([
      { check: 'lawful', at: 'screening-orphan@1', detail: 'it names no command' },
    ])
  })

  for (const [what, event, expected] of unlawful) {
    it(`finds ${what}`, async () => {
      const { store } = evident.writeSide
      const last = await store.lastRevision('screening-friday')
      const { revision } = await store.append('screening-friday', last ?? 'no-stream', [event])
      const { listed } = await verify()
      const found = listed.find(({ at }) => at === `screening-friday@${revision}`)
      expect(found?.check).equal(expected.check)
      expect(found?.detail).contain(expected.detail)
    })
  }

  it('describes its routes where the ledger’s are described', async () => {
    const { body } = await get('/openapi.json')
    expect(Object.keys(body.paths ?? {})).include.members([
      ...['/ledgers/{ledger}', '/screenings/{screening}/bookings/{booking}/cancel'],
    ])
  })
})
