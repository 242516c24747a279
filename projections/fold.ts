import type { Decoded, DomainEvent } from '../events/codec.ts'
import type { Collection, DocumentBody, DocumentKey, Projection } from './projection.ts'
import type { Build, DocumentWrite } from './read-model-store.ts'
import { createRecentlyUsed, type RecentlyUsed } from './recently-used.ts'

/** Parsed documents kept in memory for each collection, so that a busy account is read once. */
const maxKeptDocuments = 50_000

/** An event whose fold failed: neither it nor a later one of its stream was applied. */
export interface FoldFailure {
  readonly stream: string
  readonly revision: bigint
  readonly error: unknown
}

export interface Folded {
  readonly finals: readonly DocumentWrite[]
  readonly documents: readonly DocumentWrite[]
  readonly failures: ReadonlyMap<string, FoldFailure>
}

/** Folds events into the documents of one build, in memory: a thousand events, one write. */
export interface Folder {
  /** Each stream's events in order. What comes of it has to be written, then kept or forgotten. */
  fold(events: readonly Decoded<DomainEvent>[]): Promise<Folded>
  /** The last fold was written; these of its documents the store refused, as it has newer ones. */
  keep(refused: readonly DocumentKey[]): void
  /** The last fold may not have been written. */
  forget(): void
}

/** A document while a batch is folded. */
interface Working {
  readonly id: string
  revision: bigint
  body: DocumentBody | undefined
  isChanged: boolean
}

interface Shelf {
  readonly collection: Collection<DomainEvent>
  readonly kept: RecentlyUsed<Working>
  working: Map<string, Working>
}

export function createFolder(projection: Projection, build: Pick<Build, 'get'>): Folder {
  const shelves: readonly Shelf[] = projection.collections.map((collection) => ({
    collection,
    kept: createRecentlyUsed<Working>(maxKeptDocuments),
    working: new Map(),
  }))

  /** Brings the documents that the events touch into `working`, from memory or from the store. */
  async function load(touched: readonly Touched[]): Promise<void> {
    for (const [place, shelf] of shelves.entries()) {
      shelf.working = new Map()
      if (shelf.collection.isFinal) continue
      const missing: string[] = []
      for (const { ids } of touched) {
        for (const id of ids[place] ?? []) {
          if (shelf.working.has(id)) continue
          const kept = shelf.kept.get(id)
          shelf.working.set(id, kept ?? { id, revision: -1n, body: undefined, isChanged: false })
          if (!kept) missing.push(id)
        }
      }
      if (missing.length > 0) await read(shelf, missing)
    }
  }

  async function read({ collection, working }: Shelf, ids: readonly string[]): Promise<void> {
    for (const stored of await build.get(collection.name, ids)) {
      const document = stored && working.get(stored.id)
      if (!document) continue
      document.revision = stored.revision
      document.body = JSON.parse(stored.body) as DocumentBody
    }
  }

  /** Applies one event to all its documents, or throws and changes none. */
  function apply({ event, ids }: Touched, finals: DocumentWrite[]): void {
    const { revision } = event
    const changes: { readonly document: Working; readonly body: DocumentBody }[] = []
    const made: DocumentWrite[] = []
    for (const [place, { collection, working }] of shelves.entries()) {
      for (const id of ids[place] ?? []) {
        if (collection.isFinal) {
          const body = collection.evolve(undefined, event, id)
          made.push({ collection: collection.name, id, revision, body })
          continue
        }
        const document = working.get(id)
        if (!document || document.revision >= revision) continue // it reflects the event already
        const body = collection.evolve(document.body, event, id)
        changes.push({ document, body })
        for (const final of collection.finals?.(body, event, id) ?? []) {
          made.push({ collection: final.collection, id: final.id, revision, body: final.body })
        }
      }
    }
    for (const { document, body } of changes) {
      document.body = body
      document.revision = revision
      document.isChanged = true
    }
    finals.push(...made)
  }

  return {
    async fold(events) {
      const failures = new Map<string, FoldFailure>()
      const fail = ({ stream, revision }: Decoded<DomainEvent>, error: unknown) =>
        failures.set(stream, { stream, revision, error })
      const touched: Touched[] = []
      for (const event of events) {
        if (failures.has(event.stream)) continue
        try {
          touched.push({ event, ids: shelves.map(({ collection }) => collection.idsOf(event)) })
        } catch (error) {
          fail(event, error)
        }
      }
      await load(touched)
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
      return { finals, documents: shelves.flatMap(changedOf), failures }
    },

    keep(refused) {
      for (const { working, kept } of shelves) {
        for (const document of working.values()) {
          document.isChanged = false
          if (document.body !== undefined) kept.set(document.id, document)
        }
        working.clear()
      }
      for (const { collection, id } of refused) {
        shelves.find((shelf) => shelf.collection.name === collection)?.kept.delete(id)
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

/** An event and, for each collection in order, the ids of the documents it touches. */
interface Touched {
  readonly event: Decoded<DomainEvent>
  readonly ids: readonly (readonly string[])[]
}

function changedOf({ collection, working }: Shelf): DocumentWrite[] {
  const changed: DocumentWrite[] = []
  for (const { id, revision, body, isChanged } of working.values()) {
    if (isChanged && body) changed.push({ collection: collection.name, id, revision, body })
  }
  return changed
}
