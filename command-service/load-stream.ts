import { type Codec, type DomainEvent, isDomainEvent, UnknownEvent } from '../events/codec.ts'
import { DamagedLog, type EventStore } from '../events/event-store.ts'
import { StreamUnavailable } from './command.ts'
import type { Folded } from './decide-batch.ts'
import type { Domain } from './domain/domain.ts'
import type { IdIndex, LastCovered } from './id-index.ts'
import { namesOfEvent, seek } from './recall.ts'
import type { Snapshots } from './snapshots.ts'

export interface Folding<Event extends DomainEvent, State> {
  readonly domain: Pick<
    Domain<{ type: string }, Event, State, string>,
    'codec' | 'decider' | 'namesIn'
  >
  readonly store: EventStore
  readonly index: IdIndex
}

/** The stream as the store has it: its snapshot, if there is a good one, and all events since. */
export async function loadStream<Event extends DomainEvent, State>(
  folding: Folding<Event, State>,
  snapshots: Snapshots<State>,
  stream: string,
): Promise<{ readonly folded: Folded<State>; readonly snapshotRevision: bigint }> {
  const { initialState } = folding.domain.decider
  const nothing = { state: initialState(), revision: -1n, recordedAt: '' }
  const base = (await snapshots.load(stream)) ?? nothing
  const { revision: snapshotRevision } = base
  return { folded: await catchUp(folding, stream, base), snapshotRevision }
}

/**
 * Folds what the store has past the given revision, and gives the index what it lacks.
 * @throws {StreamUnavailable} an event is damaged, or not known to this program
 */
export async function catchUp<Event extends DomainEvent, State>(
  { domain, store, index }: Folding<Event, State>,
  stream: string,
  base: Folded<State>,
): Promise<Folded<State>> {
  const { generation } = index
  const indexed = await indexedTo(index, store, stream).catch((error: unknown) => {
    throw unavailable(stream, error)
  })
  let { state, revision, recordedAt } = base
  let last: LastCovered | undefined
  // biome-ignore lint/complexity/useMathMinMax: it takes no bigint
  const from = (indexed < revision ? indexed : revision) + 1n
  try {
    for await (const batch of store.readStream(stream, { from })) {
      for (const recorded of batch) {
        const event = (domain.codec as Codec<Event>).decode(recorded)
        if (event.revision > indexed) {
          for (const name of namesOfEvent(event, domain.namesIn)) {
            index.add(seek(stream, name).fingerprint, event.revision)
          }
        }
        last = recorded
        if (event.revision <= revision) continue
        if (isDomainEvent(event)) state = domain.decider.evolve(state, event)
        revision = event.revision
        recordedAt = event.metadata.recordedAt
      }
    }
  } catch (error) {
    throw unavailable(stream, error)
  }
  // What was added before another stream discarded the index is gone: it does not cover this one.
  if (last && index.generation === generation) {
    index.cover(stream, { id: last.id, revision: last.revision })
  }
  return { state, revision, recordedAt }
}

/**
 * An index of another past than the log's counts for nothing: its last event is not there, or is
 * another one, also where the log has grown past it again.
 */
async function indexedTo(index: IdIndex, store: EventStore, stream: string): Promise<bigint> {
  const covered = index.coveredTo(stream)
  if (covered === undefined) return -1n
  const { id, revision } = covered
  for await (const [event] of store.readStream(stream, { from: revision, limit: 1 })) {
    if (event?.id === id) return revision
  }
  index.uncover(stream)
  return -1n
}

/** What cannot be read for good is the stream's state; anything else is the failure that it is. */
export function unavailable(stream: string, cause: unknown): unknown {
  if (!(cause instanceof UnknownEvent || cause instanceof DamagedLog)) return cause
  return new StreamUnavailable(`${stream} cannot be read: ${cause.message}`, { cause })
}
