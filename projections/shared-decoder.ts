import type { Codec, CommandAccepted, Decoded, DomainEvent } from '../events/codec.ts'
import type { RecordedEvent } from '../events/event-store.ts'

export type Decode = (
  codec: Codec<DomainEvent>,
  recorded: RecordedEvent,
) => Decoded<DomainEvent | CommandAccepted>

/** Decoded events kept in memory, and as many of before. */
const maxKeptEvents = 10_000

/**
 * Decodes an event once for all projections of a thread that are handed the same object soon after
 * each other.
 */
export function createSharedDecoder(): Decode {
  let young = new Map<RecordedEvent, Decoded<DomainEvent | CommandAccepted>>()
  let old: typeof young = new Map()
  return (codec, recorded) => {
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
