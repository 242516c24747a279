import { expect } from 'chai'
import type { Codec, DomainEvent } from '../../events/codec.ts'
import type { RecordedEvent } from '../../events/event-store.ts'
import { createSharedDecoder } from '../../projections/shared-decoder.ts'
import { eventAt } from '../contracts/event-bus.contract.ts'

describe('shared decoder', () => {
  const decoded: string[] = []
  const codec: Pick<Codec<DomainEvent>, 'decode'> = {
    decode({ id, type, stream, revision, position }) {
      decoded.push(id)
      const metadata = { recordedAt: '2026-01-01T00:00:00.000Z', schemaVersion: 1 }
      return { type, data: {}, metadata, id, stream, revision, position }
    },
  }
  beforeEach(() => {
    decoded.length = 0
  })

  /** How many of the events are decoded again when all of them come a second time. */
  function decodedAgain(events: readonly RecordedEvent[], maxKeptEvents: number): number {
    const decode = createSharedDecoder(maxKeptEvents)
    const whole = { ...codec, encode: () => expect.fail('nothing is encoded') }
    for (const turn of [1, 2]) {
      for (const event of events) expect(decode(whole, event).id, `turn ${turn}`).to.equal(event.id)
    }
    return decoded.length - events.length
  }

  const events = (count: number, characters: number) => {
    const data = JSON.stringify('x'.repeat(characters))
    return Array.from({ length: count }, (_, n) => ({ ...eventAt(n), data }))
  }

  it('decodes an event once for all who are handed it soon after each other', () => {
    expect(decodedAgain(events(100, 10), 100)).to.equal(0)
  })

  it('keeps as many as it is told, and as many of before', () => {
    expect(decodedAgain(events(301, 10), 100)).to.equal(301)
  })

  it('keeps few that are heavy', () => {
    expect(decodedAgain(events(60, 1_000_000), 100)).to.equal(60)
  })
})
