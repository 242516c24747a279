import { expect } from 'chai'
import fc from 'fast-check'
import { type LogToPosition, logToPosition } from '../../app/verify/log-to-position.ts'
import type { Direction, EventBatches, RecordedEvent } from '../../events/event-store.ts'

const position = (index: number): string => String(index).padStart(16, '0')

const event = (index: number): RecordedEvent => ({
  ...{ id: `${index}`, type: 'Something', data: '{}', metadata: '{}' },
  ...{ stream: 'some-stream', revision: BigInt(index), position: position(index) },
})

interface Range {
  readonly direction?: Direction
  readonly limit?: number
}

/** A log in batches of a size that has nothing to do with where it is cut. */
function logOf(events: readonly RecordedEvent[], batchSize: number): LogToPosition {
  async function* read({ direction, limit }: Range = {}): EventBatches {
    const ordered = direction === 'backward' ? events.toReversed() : events
    const wanted = ordered.slice(0, limit)
    for (let from = 0; from < wanted.length; from += batchSize) {
      yield wanted.slice(from, from + batchSize)
    }
  }
  return { readAll: read, readStream: (_stream, range) => read(range) }
}

async function all(batches: EventBatches): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const batch of batches) {
    expect(batch.length).greaterThan(0)
    ids.push(...batch.map(({ id }) => id))
  }
  return ids
}

describe('a log to a position', () => {
  it('is the log that ends there, in both directions and to any limit', async () => {
    const law = fc.asyncProperty(
      fc.record({
        length: fc.nat(30),
        end: fc.nat(35),
        batchSize: fc.integer({ min: 1, max: 7 }),
        direction: fc.constantFrom<Direction>('forward', 'backward'),
        limit: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
      }),
      async ({ length, end, batchSize, direction, limit }) => {
        const events = Array.from({ length }, (_, index) => event(index))
        const cut = logToPosition(logOf(events, batchSize), position(end))
        const range = { direction, ...(limit !== undefined && { limit }) }
        const kept = events.filter((one) => one.position <= position(end))
        const ordered = direction === 'backward' ? kept.toReversed() : kept
        const expected = ordered.slice(0, limit).map(({ id }) => id)
        expect(await all(cut.readAll(range))).deep.equal(expected)
        expect(await all(cut.readStream('some-stream', range))).deep.equal(expected)
      },
    )
    await fc.assert(law)
  })
})
