import type { Position, RecordedEvent } from '../events/event-store.ts'
import type { CollectionDeclaration, DocumentBody, DocumentKey, KeyValue } from './projection.ts'

/** A document as it is stored; `body` is its JSON text. */
export interface StoredDocument {
  readonly id: string
  /** The last event it reflects. */
  readonly revision: bigint
  readonly body: string
}

export interface DocumentWrite extends DocumentKey {
  readonly revision: bigint
  readonly body: DocumentBody
}

/** How far a projection has come in one stream, also where events touched no document. */
export interface Progress {
  readonly stream: string
  readonly revision: bigint
}

/** An event that could not be applied: its stream waits here, the others flow. */
export interface Parked {
  readonly stream: string
  readonly revision: bigint
  readonly reason: string
  readonly parkedAt: string
}

/** What a build has of the log: all up to `position`, which was the log's end at `levelAt`. */
export interface Coverage {
  readonly logId: string
  readonly position: Position
  readonly levelAt: string
}

/**
 * The furthest event along its log that anything in a build is of. A log that has it there has all
 * that the build is of; one that does not has another past, as after an older copy was restored.
 */
export interface Furthest extends Pick<RecordedEvent, 'stream' | 'revision' | 'position' | 'id'> {
  readonly logId: string
}

/**
 * Written in this order: furthest, final documents, documents, parked streams, progress, coverage. An
 * engine may do all of it at once; none may let a later part be seen without the earlier ones.
 */
export interface Changes {
  /** Moves forward only. */
  readonly furthest?: Furthest | undefined
  /** Documents of final collections: what is there already stays. */
  readonly finals: readonly DocumentWrite[]
  /** Each is refused where the stored one is at its revision or a later one. */
  readonly documents: readonly DocumentWrite[]
  readonly parked: readonly Parked[]
  readonly unparked: readonly string[]
  /** Moves forward only. */
  readonly progress: readonly Progress[]
  readonly coverage?: Coverage
}

/** One page of a collection in the order of one of its indexes. */
export interface Query {
  readonly collection: string
  /** A declared index, or `byId`. */
  readonly index: string
  /** Values of the index's first fields. */
  readonly equals: readonly KeyValue[]
  /**
   * On the field after those, which after the last is the id: a range (`from` inclusive, `to`
   * exclusive) or the beginning of a text.
   */
  readonly from?: KeyValue
  readonly to?: KeyValue
  readonly prefix?: string
  /** Further conditions on keys of the collection, checked on what the index finds. */
  readonly where?: Readonly<Record<string, KeyValue>>
  readonly direction?: 'forward' | 'backward'
  /** Where the last page ended: its `next`. */
  readonly after?: PageKey
  /** Documents at most. */
  readonly limit: number
}

/** The index fields after `equals` and the id of the last document examined. */
export type PageKey = readonly KeyValue[]

export interface Page {
  readonly documents: readonly StoredDocument[]
  /** Where there may be more. A page that examined `maxExamined` documents can be short of its limit. */
  readonly next?: PageKey
}

/** One build of a projection: `accounts-v1.1`, a version and how often it was built. */
export interface Build {
  readonly name: string
  get(collection: string, ids: readonly string[]): Promise<readonly (StoredDocument | undefined)[]>
  find(query: Query): Promise<Page>
  progress(stream: string): Promise<bigint | undefined>
  allProgress(): Promise<readonly Progress[]>
  /** Of one stream, or all. */
  parked(stream?: string): Promise<readonly Parked[]>
  coverage(): Promise<Coverage | undefined>
  /**
   * Writes documents, then progress: after a crash in between, the same events come again and what
   * is there refuses them. The documents that were refused are returned. What is written without
   * progress or coverage may wait for the next write that has some, and be lost until then.
   * @throws {ReadModelsUnavailable} some of it may be written; the same changes may be written again
   */
  write(changes: Changes): Promise<readonly DocumentKey[]>
  /** Takes back, where the engine can, what was written without progress since there last was some. */
  abandon(): Promise<void>
  /** Makes the indexes that `openBuild` was told to defer. Does nothing where they are there. */
  completeIndexes(): Promise<void>
}

export interface OpenBuild {
  /**
   * For filling a build from the log: indexes that reading needs and writing does not are made by
   * `completeIndexes`, at once rather than row by row. Until then only collections that are not
   * final can be read, and only by `get`.
   */
  readonly deferIndexes?: boolean
}

/** Where read models live. Each build has its own documents; one small record names the live one. */
export interface ReadModelStore {
  /**
   * Makes its collections and indexes where they are not there yet.
   * @throws {ReadModelsUnavailable} where it is not there and the store only reads
   * @throws {ReadModelsDamaged}
   */
  openBuild(
    name: string,
    collections: readonly CollectionDeclaration[],
    options?: OpenBuild,
  ): Promise<Build>
  /** The build that queries of a projection read; it may be of another version than this program's. */
  liveBuild(projection: string): Promise<string | undefined>
  /** Names the live build, or with `undefined` none. */
  setLiveBuild(projection: string, build: string | undefined): Promise<void>
  /** All builds there are of a projection, live or not. */
  builds(projection: string): Promise<readonly string[]>
  /** What a build, also one that nobody has opened, was written of; `undefined` where it was not yet. */
  furthest(build: string): Promise<Furthest | undefined>
  /** Removes a build with all its documents; nothing happens where there is none. */
  dropBuild(name: string): Promise<void>
  /** Resolves when something was written since the call, or the time is over. */
  changed(timeoutMs: number): Promise<void>
  /**
   * A number that stays the same only while nothing that can be read changes; `undefined` while
   * something may be changing, and always where the engine cannot tell. What was read between two
   * equal numbers is of one state, and is so still while the number is equal.
   */
  changeCount(): number | undefined
  close(): Promise<void>
}

/** Documents that one page examines at most, whatever its conditions let through. */
export const maxExamined = 10_000

/** The store is gone, busy or full; nothing may be taken for written. */
export class ReadModelsUnavailable extends Error {
  readonly code = 'READ_MODELS_UNAVAILABLE'
}

/** A read model cannot be read by this program. It is disposable: delete it, and it is built anew. */
export class ReadModelsDamaged extends Error {
  readonly code = 'READ_MODELS_DAMAGED'
}

/** A query names what its collection does not declare: a fault of the program, not of its user. */
export class UndeclaredQuery extends Error {
  readonly code = 'UNDECLARED_QUERY'
}
