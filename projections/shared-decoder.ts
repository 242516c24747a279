import type { Codec, CommandAccepted, Decoded, DomainEvent } from '../events/codec.ts'
import type { RecordedEvent } from '../events/event-store.ts'

export type DecodedEvent = Decoded<DomainEvent | CommandAccepted>

export type Decode = (codec: Codec<DomainEvent>, recorded: RecordedEvent) => DecodedEvent

/** Decoded events kept in memory, and as many of before. */
const maxKeptEvents = 10_000

/**
 * Decodes an event once for all projections of a thread that are handed the same object soon after
 * each other.
 */
export function createSharedDecoder(): Decode {
  const decoders = new Map<Codec<DomainEvent>, (recorded: RecordedEvent) => DecodedEvent>()
  return (codec, recorded) => {
    let decode = decoders.get(codec)
    if (!decode) {
      decode = remembering(codec)
      decoders.set(codec, decode)
    }
    return decode(recorded)
  }
}

function remembering(codec: Codec<DomainEvent>): (recorded: RecordedEvent) => DecodedEvent {
  let young = new Map<RecordedEvent, DecodedEvent>()
  let old: typeof young = new Map()
  return (recorded) => {
    const known = young.get(recorded) ?? old.get(recorded)
    if (known !== undefined) return known
    const event = codec.decode(recorded)
    if (young.size >= maxKeptEvents) {
      old = young
      young = new Map()
    }
    young.set(recorded, event)
    return event
  }
}
