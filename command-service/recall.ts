import { type Decoded, type DomainEvent, isDomainEvent } from '../events/codec.ts'
import type { EventStore } from '../events/event-store.ts'
import { type Name, type PlacedEvent, textOf } from './domain/decider.ts'
import type { Domain } from './domain/domain.ts'
import { type Fingerprint, fingerprintOf, keyName } from './fingerprint.ts'
import type { IdIndex } from './id-index.ts'

/** What the log has about an id: its latest event, and the command that made it. */
export interface Recollection<Event extends DomainEvent> {
  /** Absent where the command changed nothing. */
  readonly event: PlacedEvent<Event> | undefined
  /** Of the command's content. */
  readonly hash: string | undefined
  /** All events of that command, and the revision it made. */
  readonly events: readonly PlacedEvent<Event>[]
  readonly revision: bigint
}

/** A name with its text and its fingerprint, which are worked out once for each command. */
export interface Sought {
  readonly name: Name
  readonly text: string
  readonly fingerprint: Fingerprint
}

export const seek = (stream: string, name: Name): Sought => ({
  name,
  text: textOf(name),
  fingerprint: fingerprintOf(stream, name),
})

/** Looks the past up: the index says where, and the event there is the proof. */
export function createRecall<Event extends DomainEvent>({
  store,
  index,
  codec,
  namesIn,
}: {
  readonly store: Pick<EventStore, 'readStream'>
  readonly index: IdIndex
} & Pick<Domain<{ type: string }, Event, unknown, string>, 'codec' | 'namesIn'>) {
  async function read(stream: string, from: bigint, limit: number) {
    const events: ReturnType<typeof codec.decode>[] = []
    for await (const batch of store.readStream(stream, { from, limit })) {
      for (const recorded of batch) events.push(codec.decode(recorded))
    }
    return events
  }

  async function recollect(
    stream: string,
    revision: bigint,
    name: Name,
  ): Promise<Recollection<Event> | undefined> {
    const [about] = await read(stream, revision, 1)
    if (!about || !namesOfEvent(about, namesIn).some((one) => textOf(one) === textOf(name))) {
      return undefined // another id with the same fingerprint
    }
    const { command } = about.metadata
    const first = revision - BigInt(command?.index ?? 0)
    const events = command ? await read(stream, first, command.count) : [about]
    return {
      event: isDomainEvent(about) ? placed(about) : undefined,
      hash: command?.hash,
      events: events.filter((event) => isDomainEvent(event)).map(placed),
      revision: events.at(-1)?.revision ?? revision,
    }
  }

  /** By the names' text. One look into the index for all. */
  return async (
    stream: string,
    sought: readonly Sought[],
  ): Promise<ReadonlyMap<string, Recollection<Event>>> => {
    const found = new Map<string, Recollection<Event>>()
    const revisions = await index.find(sought.map(({ fingerprint }) => fingerprint))
    for (const [n, revision] of revisions.entries()) {
      const one = sought[n]
      if (revision === undefined || !one) continue
      const recollection = await recollect(stream, revision, one.name)
      if (recollection) found.set(one.text, recollection)
    }
    return found
  }
}

export type Recall<Event extends DomainEvent> = ReturnType<typeof createRecall<Event>>

/** The names an event is remembered by: what it is about, and its command's key. */
export function namesOfEvent<Event extends DomainEvent>(
  event: ReturnType<Domain<{ type: string }, Event, unknown, string>['codec']['decode']>,
  namesIn: (event: Event) => readonly Name[],
): readonly Name[] {
  const names = isDomainEvent(event) ? namesIn(event) : []
  const { command } = event.metadata
  return command?.key === undefined ? names : [...names, keyName(command.caller, command.key)]
}

const placed = <Event extends DomainEvent>(event: Decoded<Event>): PlacedEvent<Event> => ({
  event,
  revision: event.revision,
  recordedAt: event.metadata.recordedAt,
})
