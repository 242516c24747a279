import type { Position } from '../events/event-store.ts'
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

/** Written in this order: final documents, documents, parked streams, progress, coverage. */
export interface Changes {
  readonly finals: readonly DocumentWrite[]
  /** Each is refused where the stored one is at its revision or a later one. */
  readonly documents: readonly DocumentWrite[]
  readonly parked: readonly Parked[]
  readonly unparked: readonly string[]
  readonly progress: readonly Progress[]
  readonly coverage?: Coverage
}

/** One page of a collection in the order of one of its indexes. */
export interface Query {
  readonly collection: string
  readonly index: string
  /** Values of the index's first fields. */
  readonly equals: readonly KeyValue[]
  /** On the field after those: a range (`from` inclusive, `to` exclusive) or a prefix. */
  readonly from?: KeyValue
  readonly to?: KeyValue
  readonly prefix?: string
  /** Further conditions on keys of the collection, checked on what the index finds. */
  readonly where?: Readonly<Record<string, KeyValue>>
  readonly direction?: 'forward' | 'backward'
  /** Where the last page ended: its `next`. */
  readonly after?: PageKey
  readonly limit: number
}

/** The remaining index fields and the id of the last document examined. */
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
  parked(stream?: string): Promise<readonly Parked[]>
  coverage(): Promise<Coverage | undefined>
  /**
   * Writes documents, then progress: after a crash in between, the same events come again and what
   * is there refuses them. The ids of documents that refused are returned.
   */
  write(changes: Changes): Promise<readonly DocumentKey[]>
}

/** Where read models live. Each build has its own documents; one small record names the live one. */
export interface ReadModelStore {
  /** Makes its collections and indexes where they are not there yet. */
  openBuild(name: string, collections: readonly CollectionDeclaration[]): Promise<Build>
  liveBuild(projection: string): Promise<string | undefined>
  setLiveBuild(projection: string, build: string): Promise<void>
  builds(projection: string): Promise<readonly string[]>
  dropBuild(name: string): Promise<void>
  /** Resolves when something was written since the call, or the time is over. */
  changed(timeoutMs: number): Promise<void>
  close(): Promise<void>
}

/** The store is gone or full; nothing may be taken for written. */
export class ReadModelsUnavailable extends Error {
  readonly code = 'READ_MODELS_UNAVAILABLE'
}

export const maxExamined = 10_000
