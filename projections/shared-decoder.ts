import type { Codec, CommandAccepted, Decoded, DomainEvent } from '../events/codec.ts'
import type { RecordedEvent } from '../events/event-store.ts'

/**
 * Characters of the events kept, in each of the two generations: one event of a thousand postings
 * weighs as much as hundreds.
 */
const maxKeptCharacters = 8_000_000

export type DecodedEvent = Decoded<DomainEvent | CommandAccepted>

export type Decode = (codec: Codec<DomainEvent>, recorded: RecordedEvent) => DecodedEvent

/**
 * Decodes an event once for all projections of a thread that are handed the same object soon after
 * each other. As many events as `maxKeptEvents` stay in memory, and as many of before; fewer where
 * they are heavy.
 */
export function createSharedDecoder(maxKeptEvents: number): Decode {
  const decoders = new Map<Codec<DomainEvent>, (recorded: RecordedEvent) => DecodedEvent>()
  return (codec, recorded) => {
    let decode = decoders.get(codec)
    if (!decode) {
      decode = remembering(codec, maxKeptEvents)
      decoders.set(codec, decode)
    }
    return decode(recorded)
  }
}

function remembering(
  codec: Codec<DomainEvent>,
  maxKeptEvents: number,
): (recorded: RecordedEvent) => DecodedEvent {
  let young = new Map<RecordedEvent, DecodedEvent>()
  let old: typeof young = new Map()
  let characters = 0
  return (recorded) => {
    const known = young.get(recorded) ?? old.get(recorded)
    if (known !== undefined) return known
    const event = codec.decode(recorded)
    if (young.size >= maxKeptEvents || characters >= maxKeptCharacters) {
      old = young
      young = new Map()
      characters = 0
    }
    characters += recorded.data.length
    young.set(recorded, event)
    return event
  }
}
