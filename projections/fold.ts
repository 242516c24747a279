import type { Decoded, DomainEvent } from '../events/codec.ts'
import type { Collection, DocumentBody, Projection } from './projection.ts'
import type { Build, DocumentWrite } from './read-model-store.ts'
import { createRecentlyUsed, type RecentlyUsed } from './recently-used.ts'

/** Parsed documents kept in memory for each collection, so that a busy account is read once. */
const maxKeptDocuments = 10_000

/** An event whose fold failed: neither it nor a later one of its stream was applied. */
export interface FoldFailure {
  readonly stream: string
  readonly revision: bigint
  readonly error: unknown
}

export interface Folded {
  readonly finals: readonly DocumentWrite[]
  readonly failures: ReadonlyMap<string, FoldFailure>
}

/** Folds events into the documents of one build, in memory: a thousand events, one write. */
export interface Folder {
  /** Each stream's events in order, after those of earlier folds. */
  fold(events: readonly Decoded<DomainEvent>[]): Promise<Folded>
  /** What all folds since the last `keep` changed. */
  changed(): readonly DocumentWrite[]
  /** How many documents were touched since the last `keep`. */
  size(): number
  /** What was changed is written. */
  keep(): void
  /** What was changed may not have been written, or the store has something newer. */
  forget(): void
}

/** A document in memory. */
interface Working {
  readonly id: string
  revision: bigint
  body: DocumentBody | undefined
  isChanged: boolean
}

interface Shelf {
  readonly collection: Collection<DomainEvent>
  readonly kept: RecentlyUsed<Working>
  readonly working: Map<string, Working>
}

export function createFolder(projection: Projection, build: Pick<Build, 'get'>): Folder {
  const shelves: readonly Shelf[] = projection.collections.map((collection) => ({
    collection,
    kept: createRecentlyUsed<Working>(maxKeptDocuments),
    working: new Map(),
  }))

  /** The document in memory; one that is not there yet is noted as missing. */
  function documentOf({ working, kept }: Shelf, id: string, missing: Working[]): Working {
    let document = working.get(id)
    if (document) return document
    document = kept.get(id)
    if (!document) {
      document = { id, revision: -1n, body: undefined, isChanged: false }
      missing.push(document)
    }
    working.set(id, document)
    return document
  }

  async function read({ collection }: Shelf, missing: readonly Working[]): Promise<void> {
    const ids = missing.map(({ id }) => id)
    for (const [place, stored] of (await build.get(collection.name, ids)).entries()) {
      const document = missing[place]
      if (!document || !stored) continue
      document.revision = stored.revision
      document.body = JSON.parse(stored.body) as DocumentBody
    }
  }

  function targetsOf(event: Decoded<DomainEvent>, missing: readonly Working[][]): Target[] {
    const targets: Target[] = []
    for (const [place, shelf] of shelves.entries()) {
      const { collection } = shelf
      for (const id of collection.idsOf(event)) {
        const document = collection.isFinal
          ? undefined
          : documentOf(shelf, id, missing[place] ?? [])
        targets.push({ collection, id, document })
      }
    }
    return targets
  }

  /** Applies one event to all its documents, or throws and changes none. */
  function apply({ event, targets }: Touched, finals: DocumentWrite[]): void {
    const { revision } = event
    const bodies: (DocumentBody | undefined)[] = []
    const finalsBefore = finals.length
    try {
      for (const { collection, id, document } of targets) {
        // what reflects the event already, also had its finals written
        const isReflected = document !== undefined && document.revision >= revision
        const body = isReflected ? undefined : collection.evolve(document?.body, event, id)
        bodies.push(body)
        if (!body) continue
        if (!document) finals.push({ collection: collection.name, id, revision, body })
        for (const final of collection.finals?.(body, event, id) ?? []) {
          finals.push({ collection: final.collection, id: final.id, revision, body: final.body })
        }
      }
    } catch (error) {
      finals.length = finalsBefore
      throw error
    }
    for (const [place, { document }] of targets.entries()) {
      const body = bodies[place]
      if (!document || !body) continue
      document.body = body
      document.revision = revision
      document.isChanged = true
    }
  }

  return {
    async fold(events) {
      const failures = new Map<string, FoldFailure>()
      const fail = ({ stream, revision }: Decoded<DomainEvent>, error: unknown) =>
        failures.set(stream, { stream, revision, error })
      const touched: Touched[] = []
      const missing: Working[][] = shelves.map(() => [])
      for (const event of events) {
        if (failures.has(event.stream)) continue
        try {
          touched.push({ event, targets: targetsOf(event, missing) })
        } catch (error) {
          fail(event, error)
        }
      }
      for (const [place, shelf] of shelves.entries()) {
        const unknown = missing[place] ?? []
        if (unknown.length > 0) await read(shelf, unknown)
      }
      const finals: DocumentWrite[] = []
      for (const one of touched) {
        const failure = failures.get(one.event.stream)
        if (failure && failure.revision < one.event.revision) continue
        try {
          apply(one, finals)
        } catch (error) {
          fail(one.event, error)
        }
      }
      return { finals, failures }
    },

    changed: () => shelves.flatMap(changedOf),

    size: () => shelves.reduce((sum, { working }) => sum + working.size, 0),

    keep() {
      for (const { working, kept } of shelves) {
        for (const document of working.values()) {
          document.isChanged = false
          if (document.body !== undefined) kept.set(document.id, document)
        }
        working.clear()
      }
    },

    forget() {
      for (const { working, kept } of shelves) {
        working.clear()
        kept.clear()
      }
    },
  }
}

/** A document that an event touches; those of final collections are not in memory. */
interface Target {
  readonly collection: Collection<DomainEvent>
  readonly id: string
  readonly document: Working | undefined
}

interface Touched {
  readonly event: Decoded<DomainEvent>
  readonly targets: readonly Target[]
}

function changedOf({ collection, working }: Shelf): DocumentWrite[] {
  const changed: DocumentWrite[] = []
  for (const { id, revision, body, isChanged } of working.values()) {
    if (isChanged && body) changed.push({ collection: collection.name, id, revision, body })
  }
  return changed
}
