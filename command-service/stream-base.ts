import type { DomainEvent } from '../events/codec.ts'
import type { Batch, Folded } from './decide-batch.ts'
import type { Domain } from './domain/domain.ts'
import { catchUp, type Folding, loadStream } from './load-stream.ts'
import type { Snapshots } from './snapshots.ts'

export interface StreamBaseOptions<Event extends DomainEvent, State> extends Folding<Event, State> {
  readonly domain: Pick<
    Domain<{ type: string }, Event, State, string>,
    'codec' | 'decider' | 'namesIn' | 'weigh'
  >
  readonly snapshots: Snapshots<State>
}

/** The durable part of a stream in use, which only durable events change. */
export interface StreamBase<State, Event extends DomainEvent> {
  /** What is in memory; loads it where nothing is. @throws {StreamUnavailable} */
  load(): Promise<Folded<State>>
  /** Folds what the log has past it, and gives the index all that it lacks. */
  foldTail(): Promise<Folded<State>>
  /** Takes a batch over that was decided on it and is durable now. */
  commit(batch: Batch<State, Event, string>): void
  /** What is in memory may lack what the log has: it is loaded again at its next use. */
  forget(): void
  /** Whether the index knows all of it: another stream may have had to discard the index. */
  readonly isIndexed: boolean
  /** -1n where there is none, or where nothing is in memory. */
  readonly revision: bigint
  /** Events that its snapshot lacks. */
  readonly unsavedEvents: bigint
  /** About how many bytes it takes in memory. */
  readonly weight: number
  /** Writes the snapshot, while batches are committed; the state that is written does not change. */
  saveSnapshot(): Promise<void>
}

export function createStreamBase<Event extends DomainEvent, State>(
  stream: string,
  options: StreamBaseOptions<Event, State>,
): StreamBase<State, Event> {
  const { domain, index, snapshots } = options
  const { layers } = domain.decider
  let durable: Folded<State> | undefined
  /** What a snapshot is written of; what is committed meanwhile lies in a layer over it. */
  let frozen: Folded<State> | undefined
  let isThawDue = false
  let isSaving = false
  let savedRevision = -1n

  const isIndexed = (): boolean =>
    (index.coveredTo(stream)?.revision ?? -1n) === (durable?.revision ?? -1n)

  async function load(): Promise<Folded<State>> {
    if (durable) return durable
    const loaded = await loadStream(options, snapshots, stream)
    savedRevision = loaded.snapshotRevision
    frozen = undefined // it was of what was in memory before, and so was what is to be thawed
    isThawDue = false
    durable = loaded.folded
    return durable
  }

  /** Not while the tail is folded, which changes the layer: then afterwards. */
  function thaw(): void {
    if (!isThawDue || !durable) return
    isThawDue = false
    if (frozen && layers) durable = { ...durable, state: layers.merge(durable.state, frozen.state) }
    frozen = undefined
  }

  return {
    load,

    async foldTail() {
      const base = await load()
      durable = undefined // a fold that fails half-way leaves nothing to go on with
      durable = await catchUp(options, stream, base)
      thaw()
      return durable
    },

    commit({ after, events, ids }) {
      const last = events.at(-1)
      if (!durable || !last) return
      const wasIndexed = isIndexed()
      durable = { ...after, state: layers?.merge(after.state, durable.state) ?? after.state }
      if (!wasIndexed) return // discarded during the append: all is added before the next batch
      for (const { sought, revision } of ids) index.add(sought.fingerprint, revision)
      index.cover(stream, { id: last.id, revision: after.revision })
    },

    forget() {
      durable = undefined
    },

    get isIndexed() {
      return isIndexed()
    },
    get revision() {
      return durable?.revision ?? -1n
    },
    get unsavedEvents() {
      return durable ? durable.revision - savedRevision : 0n
    },
    get weight() {
      return durable ? domain.weigh(durable.state) : 0
    },

    async saveSnapshot() {
      if (isSaving || frozen || !durable || durable.revision === savedRevision) return
      const written = durable
      isSaving = true
      frozen = written
      durable = { ...written, state: layers?.layer(written.state) ?? written.state }
      try {
        await snapshots.save(stream, written)
      } finally {
        savedRevision = written.revision // after a failure too: the next try is as many events away
        isSaving = false
        isThawDue = true
        thaw()
      }
    },
  }
}
