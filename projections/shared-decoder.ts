import type { Codec, CommandAccepted, Decoded, DomainEvent } from '../events/codec.ts'
import type { RecordedEvent } from '../events/event-store.ts'

export type Decode = (
  codec: Codec<DomainEvent>,
  recorded: RecordedEvent,
) => Decoded<DomainEvent | CommandAccepted>

/** Decodes an event once for all projections of a thread that are handed the same object. */
export function createSharedDecoder(): Decode {
  const decoded = new WeakMap<RecordedEvent, Decoded<DomainEvent | CommandAccepted>>()
  return (codec, recorded) => {
    let event = decoded.get(recorded)
    if (event === undefined) {
      event = codec.decode(recorded)
      decoded.set(recorded, event)
    }
    return event
  }
}
