import type { Decoded, DomainEvent } from '../events/codec.ts'
import type { Collection, DocumentBody, Projection } from './projection.ts'
import type { Build, DocumentWrite } from './read-model-store.ts'
import { createRecentlyUsed, type RecentlyUsed } from './recently-used.ts'

/** Documents kept in memory for each collection, so that a busy account is read once. */
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
  /** Each stream's events in order, after those of earlier folds. @throws {FoldSpoiled} */
  fold(events: readonly Decoded<DomainEvent>[]): Promise<Folded>
  /** What all folds since the last `keep` changed. */
  changed(): readonly DocumentWrite[]
  /** How many documents were touched since the last `keep`. */
  size(): number
  /** What was changed is written. */
  keep(): void
  /** What was changed may not have been written, or the store has something newer. */
  forget(): void
  /** What failed half-way in a stream may be tried as if it never had. */
  forgive(stream: string): void
}

/**
 * An event failed after it had changed a document in place: memory is wrong, and to be forgotten.
 * When the event comes again, it fails before it changes anything, until it is forgiven.
 */
export class FoldSpoiled extends Error {
  readonly code = 'FOLD_SPOILED'
}

/** A document in memory. */
interface Working {
  readonly collection: Collection<DomainEvent>
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

/** An event and the documents it touches; those of final collections are not on a shelf. */
interface Touched {
  readonly event: Decoded<DomainEvent>
  readonly documents: readonly Working[]
}

export function createFolder(projection: Projection, build: Pick<Build, 'get'>): Folder {
  const shelves: readonly Shelf[] = projection.collections.map((collection) => ({
    collection,
    kept: createRecentlyUsed<Working>(maxKeptDocuments),
    working: new Map(),
  }))
  const spoilers = new Map<string, FoldFailure>()

  /** The document in memory; one that is not there yet is noted as missing. */
  function documentOf(shelf: Shelf, id: string, missing: Working[]): Working {
    const { working, kept, collection } = shelf
    if (collection.isFinal) return newDocument(collection, id)
    let document = working.get(id)
    if (document) return document
    document = kept.get(id)
    if (!document) {
      document = newDocument(collection, id)
      missing.push(document)
    }
    working.set(id, document)
    return document
  }

  function documentsOf(event: Decoded<DomainEvent>, missing: Working[]): Working[] {
    const documents: Working[] = []
    for (const shelf of shelves) {
      for (const id of shelf.collection.idsOf(event)) {
        documents.push(documentOf(shelf, id, missing))
      }
    }
    return documents
  }

  async function read(missing: readonly Working[]): Promise<void> {
    for (const { collection } of shelves) {
      const unknown = missing.filter((document) => document.collection === collection)
      if (unknown.length === 0) continue
      const found = await build.get(
        collection.name,
        unknown.map(({ id }) => id),
      )
      for (const [place, stored] of found.entries()) {
        const document = unknown[place]
        if (!document || !stored) continue
        document.revision = stored.revision
        document.body = collection.form
          ? collection.form.read(stored.body, stored.id)
          : (JSON.parse(stored.body) as DocumentBody)
      }
    }
  }

  /** Applies one event to all its documents, or throws and changes none. @throws {FoldSpoiled} */
  function apply({ event, documents }: Touched, finals: DocumentWrite[]): void {
    const spoiler = spoilers.size > 0 ? spoilers.get(event.stream) : undefined
    if (spoiler?.revision === event.revision) throw spoiler.error
    const finalsBefore = finals.length
    const bodies: (DocumentBody | undefined)[] = []
    let isSpoilt = false
    try {
      for (const { collection, body, id } of documents) collection.check?.(body, event, id)
      for (const document of documents) {
        const before = document.body
        const after = evolved(document, event, finals)
        bodies.push(after)
        isSpoilt ||= after === before && after !== undefined
      }
    } catch (error) {
      finals.length = finalsBefore
      if (!isSpoilt) throw error
      const { stream, revision } = event
      spoilers.set(stream, { stream, revision, error })
      throw new FoldSpoiled(`${stream}@${revision} failed half-way`, { cause: error })
    }
    for (const [place, document] of documents.entries()) {
      const body = bodies[place]
      if (!body) continue
      if (body !== document.body) document.body = body // storing what is there costs the collector
      document.revision = event.revision
      document.isChanged = true
    }
  }

  return {
    async fold(events) {
      const failures = new Map<string, FoldFailure>()
      const fail = ({ stream, revision }: Decoded<DomainEvent>, error: unknown) =>
        failures.set(stream, { stream, revision, error })
      const touched: Touched[] = []
      const missing: Working[] = []
      for (const event of events) {
        if (failures.has(event.stream)) continue
        try {
          touched.push({ event, documents: documentsOf(event, missing) })
        } catch (error) {
          fail(event, error)
        }
      }
      if (missing.length > 0) await read(missing)
      const finals: DocumentWrite[] = []
      for (const one of touched) {
        const failure = failures.get(one.event.stream)
        if (failure && failure.revision < one.event.revision) continue
        try {
          apply(one, finals)
        } catch (error) {
          if (error instanceof FoldSpoiled) throw error
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

    forgive: (stream) => void spoilers.delete(stream),
  }
}

const newDocument = (collection: Collection<DomainEvent>, id: string): Working => ({
  collection,
  id,
  revision: -1n,
  body: undefined,
  isChanged: false,
})

/** The document after the event; nothing where it reflects the event, its finals being written. */
function evolved(
  { collection, id, body: before, revision: reflected }: Working,
  event: Decoded<DomainEvent>,
  finals: DocumentWrite[],
): DocumentBody | undefined {
  const { revision } = event
  if (reflected >= revision) return undefined
  const body = collection.evolve(before, event, id)
  if (collection.isFinal) finals.push({ collection: collection.name, id, revision, body })
  for (const final of collection.finals?.(body, event, id) ?? []) {
    finals.push({ collection: final.collection, id: final.id, revision, body: final.body })
  }
  return body
}

function changedOf({ collection, working }: Shelf): DocumentWrite[] {
  const changed: DocumentWrite[] = []
  for (const { id, revision, body, isChanged } of working.values()) {
    if (isChanged && body) changed.push({ collection: collection.name, id, revision, body })
  }
  return changed
}
