import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  AppendTooLarge,
  bytesOf,
  type EventBatches,
  type EventStore,
  maxAppendBytes,
  maxBatchBytes,
  type NewEvent,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../../events/event-store.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import { failureOf } from '../eventually.ts'

const newEvent = (data: unknown = {}, id: string = randomUUID()): NewEvent => ({
  id,
  type: 'Tested',
  data: canonicalJson(data),
  metadata: canonicalJson({ recordedAt: '2026-01-31T09:30:00.000Z', schemaVersion: 1 }),
})

const newEvents = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, n) => newEvent({ n }))

async function collect(batches: EventBatches): Promise<RecordedEvent[]> {
  const all: RecordedEvent[] = []
  for await (const batch of batches) all.push(...batch)
  return all
}

const ids = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id)

/** What every event store must do. Each test works on streams of its own: a log is never emptied. */
export function eventStoreContract(open: () => Promise<EventStore>): void {
  let store: EventStore
  let stream: string
  before(async () => {
    store = await open()
  })
  after(() => store.close())
  beforeEach(() => {
    stream = `test-${randomUUID()}`
  })

  const readStream = (range?: Parameters<EventStore['readStream']>[1]) =>
    collect(store.readStream(stream, range))

  describe('append', () => {
    it('keeps order and counts revisions from zero without a gap', async () => {
      const events = newEvents(7)
      await store.append(stream, 'no-stream', events.slice(0, 3))
      const appended = await store.append(stream, 2n, events.slice(3))
      const read = await readStream()
      expect(ids(read)).deep.equal(ids(events))
      expect(read.map(({ revision }) => revision)).deep.equal([0n, 1n, 2n, 3n, 4n, 5n, 6n])
      expect(appended.revision).equal(6n)
      expect(appended.position).equal(read.at(-1)?.position)
    })

    it('gives back the very bytes: unicode, escapes, 38 digits', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'grapheme' }),
          fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
          async (text, amount) => {
            const name = `test-${randomUUID()}`
            const event = newEvent({ amount: amount.toString(), text, '\u0000é😀': '\u2028"\\' })
            await store.append(name, 'no-stream', [event])
            const [read] = await collect(store.readStream(name))
            expect(read).include(event)
          },
        ),
        { numRuns: 25 },
      )
    })

    it('appends nothing when the expected revision is wrong', async () => {
      await store.append(stream, 'no-stream', newEvents(2))
      for (const expected of ['no-stream', 0n, 5n] as const) {
        const error = await failureOf(store.append(stream, expected, newEvents(3)))
        expect(error).instanceOf(WrongExpectedRevision)
        expect(error).include({ stream, expected, actual: 1n })
      }
      expect(await readStream()).lengthOf(2)
    })

    it('tells a stream that does not exist from one that does', async () => {
      const error = await failureOf(store.append(stream, 0n, newEvents(1)))
      expect(error).instanceOf(WrongExpectedRevision).include({ actual: undefined })
      expect(await readStream()).deep.equal([])
      expect(await store.lastRevision(stream)).equal(undefined)
    })

    it('checks nothing when any revision will do', async () => {
      expect(await store.append(stream, 'any', newEvents(1))).include({ revision: 0n })
      expect(await store.append(stream, 'any', newEvents(2))).include({ revision: 2n })
      expect(await store.lastRevision(stream)).equal(2n)
    })

    it('succeeds without appending when the same ids come with the same exact revision', async () => {
      const [first, second, third] = [newEvents(2), newEvents(2), newEvents(1)]
      await store.append(stream, 'no-stream', first)
      const appended = await store.append(stream, 1n, second)
      await store.append(stream, 3n, third)
      expect(await store.append(stream, 1n, second)).deep.equal(appended)
      expect(await store.append(stream, 'no-stream', first)).include({ revision: 1n })
      expect(ids(await readStream())).deep.equal(ids([...first, ...second, ...third]))
    })

    it('does not take part of an earlier append for a repetition', async () => {
      const events = newEvents(2)
      await store.append(stream, 'no-stream', events)
      const longer = [...events, newEvent()]
      expect(await failureOf(store.append(stream, 'no-stream', longer))).instanceOf(
        WrongExpectedRevision,
      )
      expect(await readStream()).lengthOf(2)
    })

    it('lets exactly one of two writers racing for a revision win', async () => {
      await store.append(stream, 'no-stream', newEvents(1))
      for (let revision = 0n; revision < 20n; revision += 1n) {
        const results = await Promise.allSettled([
          store.append(stream, revision, newEvents(1)),
          store.append(stream, revision, newEvents(1)),
        ])
        expect(results.map(({ status }) => status).sort()).deep.equal(['fulfilled', 'rejected'])
      }
      expect(await readStream()).lengthOf(21)
    })

    it('keeps each outcome apart when many streams are appended to at once', async () => {
      const streams = Array.from({ length: 50 }, () => `test-${randomUUID()}`)
      const results = await Promise.allSettled(
        streams.map((name, n) => store.append(name, n % 2 ? 'no-stream' : 3n, newEvents(2))),
      )
      for (const [n, name] of streams.entries()) {
        expect(results[n]?.status).equal(n % 2 ? 'fulfilled' : 'rejected')
        expect(await collect(store.readStream(name))).lengthOf(n % 2 ? 2 : 0)
      }
    })

    it('refuses an append over the limit of bytes, and takes one just below', async () => {
      const half = 'x'.repeat(maxAppendBytes / 2)
      const error = await failureOf(
        store.append(stream, 'no-stream', [newEvent({ half }), newEvent({ half })]),
      )
      expect(error).instanceOf(AppendTooLarge)
      expect(await readStream()).deep.equal([])
      await store.append(stream, 'no-stream', [newEvent({ half }), newEvent()])
      expect(await readStream()).lengthOf(2)
    })
  })

  describe('reading', () => {
    const count = 2_345 // more than two pages of any adapter
    let written: NewEvent[]
    let long: string
    before(async () => {
      long = `test-${randomUUID()}`
      written = newEvents(count)
      for (let n = 0; n < count; n += 500) {
        await store.append(long, 'any', written.slice(n, n + 500))
      }
    })

    it('reads a stream forward and backward from any revision, with a limit', async () => {
      const expected = ids(written)
      const read = async (range: Parameters<EventStore['readStream']>[1]) =>
        ids(await collect(store.readStream(long, range)))
      expect(await read({})).deep.equal(expected)
      expect(await read({ direction: 'backward' })).deep.equal(expected.toReversed())
      await fc.assert(
        fc.asyncProperty(
          fc.nat(count - 1),
          fc.integer({ min: 1, max: count }),
          async (at, limit) => {
            const from = BigInt(at)
            expect(await read({ from, limit })).deep.equal(expected.slice(at, at + limit))
            expect(await read({ from, limit, direction: 'backward' })).deep.equal(
              expected
                .slice(0, at + 1)
                .toReversed()
                .slice(0, limit),
            )
          },
        ),
        { numRuns: 10 },
      )
      expect(await read({ from: BigInt(count) })).deep.equal([])
    })

    it('reads the log in the order of positions, onward from any of them', async () => {
      const all = await collect(store.readAll())
      const positions = all.map(({ position }) => position)
      expect(positions).deep.equal(positions.toSorted())
      expect(new Set(positions).size).equal(all.length)
      const backward = await collect(store.readAll({ direction: 'backward' }))
      expect(ids(backward)).deep.equal(ids(all).toReversed())
      const at = Math.floor(all.length / 2)
      const after = positions[at] ?? ''
      expect(positions.every(store.isPosition)).equal(true)
      expect(ids(await collect(store.readAll({ after, limit: 10 })))).deep.equal(
        ids(all.slice(at + 1, at + 11)),
      )
      expect(
        ids(await collect(store.readAll({ after, direction: 'backward', limit: 10 }))),
      ).deep.equal(ids(all.slice(0, at).toReversed().slice(0, 10)))
    })
  })

  describe('large events', () => {
    it('come in batches of limited bytes, and none is left out', async () => {
      const large = stream
      const count = 14 // some three batches
      const text = 'é'.repeat(400_000) // of two bytes each
      for (let n = 0; n < count; n += 1) await store.append(large, 'any', [newEvent({ n, text })])
      const abort = new AbortController()
      const ways: readonly (readonly [string, EventBatches])[] = [
        ['stream', store.readStream(large)],
        ['stream, backward', store.readStream(large, { direction: 'backward' })],
        ['log', store.readAll()],
        ['log, backward', store.readAll({ direction: 'backward', limit: count })],
        ['subscription', store.subscribe({ signal: abort.signal })],
      ]
      for (const [way, batches] of ways) {
        const seen: bigint[] = []
        for await (const batch of batches) {
          const bytes = batch.reduce((sum, event) => sum + bytesOf(event), 0)
          expect(bytes, way).to.be.at.most(maxBatchBytes)
          seen.push(...batch.filter((one) => one.stream === large).map(({ revision }) => revision))
          if (way === 'subscription' && seen.length === count) abort.abort()
        }
        const expected = Array.from({ length: count }, (_, n) => BigInt(n))
        expect(seen, way).deep.equal(way.endsWith('backward') ? expected.toReversed() : expected)
      }
    })
  })

  describe('subscription', () => {
    it('catches up and goes on live without a gap or a double', async () => {
      await store.append(stream, 'no-stream', newEvents(1_500))
      const abort = new AbortController()
      const writing = (async () => {
        for (let n = 0; n < 100; n += 1) await store.append(stream, 'any', newEvents(3))
      })()
      const seen: RecordedEvent[] = []
      for await (const batch of store.subscribe({ signal: abort.signal })) {
        seen.push(...batch.filter((event) => event.stream === stream))
        if (seen.length >= 1_800) abort.abort()
      }
      await writing
      expect(seen.map(({ revision }) => Number(revision))).deep.equal([...Array(1_800).keys()])
    })

    it('begins past the given position', async () => {
      const { position: after } = await store.append(stream, 'no-stream', newEvents(2))
      await store.append(stream, 1n, newEvents(2))
      const abort = new AbortController()
      const seen: bigint[] = []
      for await (const batch of store.subscribe({ after, signal: abort.signal })) {
        for (const event of batch) if (event.stream === stream) seen.push(event.revision)
        abort.abort()
      }
      expect(seen).deep.equal([2n, 3n])
    })

    it('ends when it is told to, also while nothing comes', async () => {
      const abort = new AbortController()
      const { position: after } = await store.append(stream, 'no-stream', newEvents(1))
      const batches = store.subscribe({ after, signal: abort.signal })[Symbol.asyncIterator]()
      const next = batches.next()
      abort.abort()
      expect((await next).done).equal(true)
    })
  })
}
