import type { Decoded, DomainEvent } from '../events/codec.ts'

/** A document of a read model: JSON, as the query API answers it. */
export type DocumentBody = Readonly<Record<string, unknown>>

/** What a document is found by; several values where it is found by each of them. */
export type KeyValue = string | number
export type Keys = Readonly<Record<string, KeyValue | readonly KeyValue[]>>

/**
 * Fields in order, the last of them the order of the list; the document's id always follows. At
 * most one field of an index has several values.
 */
export interface IndexDeclaration {
  readonly name: string
  readonly fields: readonly string[]
}

/** Documents of one kind, and the indexes by which queries may find them. */
export interface CollectionDeclaration<D extends DocumentBody = DocumentBody> {
  readonly name: string
  readonly keys: (body: D) => Keys
  readonly indexes: readonly IndexDeclaration[]
}

/** A document that an event touches. Its id begins with the event's stream. */
export interface DocumentKey {
  readonly collection: string
  readonly id: string
}

/** A document that follows from one event and never changes: a line of a statement. */
export interface FinalDocument extends DocumentKey {
  readonly body: DocumentBody
}

/**
 * A pure fold of one category's events into documents. A changed shape or fold is a new version,
 * built beside the old one.
 */
export interface Projection<E extends DomainEvent> {
  /** Without its version: `accounts`. */
  readonly name: string
  readonly version: number
  readonly category: string
  readonly collections: readonly CollectionDeclaration[]
  /** The documents that an event changes, each once. */
  keysOf(event: Decoded<E>): readonly DocumentKey[]
  evolve(body: DocumentBody | undefined, event: Decoded<E>, key: DocumentKey): DocumentBody
  /** Documents that are final with this event; `after` is what `evolve` made of the key's document. */
  finals?(after: DocumentBody, event: Decoded<E>, key: DocumentKey): readonly FinalDocument[]
}
