import type { Codec, Decoded, DomainEvent } from '../events/codec.ts'

/**
 * A document of a read model: JSON, as the query API answers it. Bodies are `type`s rather than
 * interfaces, so that they fit this index signature.
 */
export type DocumentBody = Readonly<Record<string, unknown>>

/** What a document is found by; several values where it is found by each of them. */
export type KeyValue = string | number
export type Keys = Readonly<Record<string, KeyValue | readonly KeyValue[] | undefined>>

/**
 * Fields in order, the last of them the order of the list; the document's id always follows. At
 * most one field of an index has several values. A document that lacks a field is not in the index.
 */
export interface IndexDeclaration {
  readonly name: string
  readonly fields: readonly string[]
  /** The field of which a document can have several values. */
  readonly manyOf?: string
  /**
   * Documents come in the order of the last field, which is their revision: an engine may keep a
   * list for each value of the fields before it, to which it only adds. Queries give all of those. An
   * index of several values over final documents has to be one.
   */
  readonly grows?: boolean
}

/** The index that every collection has: no fields, so all documents in the order of their ids. */
export const byId = 'id'

/** How a collection's documents turn into JSON text and back. */
export interface BodyForm<D extends DocumentBody = DocumentBody> {
  /** The JSON text of a document, always the same for the same document. */
  write(body: D): string
  read(text: string, id: string): D
}

/** Documents of one kind, and the indexes by which queries may find them. */
export interface CollectionDeclaration<D extends DocumentBody = DocumentBody> {
  readonly name: string
  /** Its documents follow from one event and never change, such as the lines of a statement. */
  readonly isFinal: boolean
  readonly indexes: readonly IndexDeclaration[]
  /** All fields of all indexes. */
  keys(body: D): Keys
  /**
   * For documents that lie in memory in another form than JSON has, because it is smaller or quicker
   * to change. Plain `JSON.stringify` and `JSON.parse` if left out.
   */
  readonly form?: BodyForm<D>
}

/** A document by its collection and its id, which begins with the event's stream. */
export interface DocumentKey {
  readonly collection: string
  readonly id: string
}

export interface FinalDocument extends DocumentKey {
  readonly body: DocumentBody
}

/** A pure fold of events into the documents of one collection. */
export interface Collection<E extends DomainEvent, D extends DocumentBody = DocumentBody>
  extends CollectionDeclaration<D> {
  /** The documents that an event makes or changes, each once. */
  idsOf(event: Decoded<E>): readonly string[]
  /**
   * The document after the event; one of a final collection has no `body` before it. It may change
   * `body` in place and return it, which is quicker, where it throws, if at all, before it does so.
   */
  evolve(body: D | undefined, event: Decoded<E>, id: string): D
  /**
   * Throws where the event cannot be applied. For documents that change in place: all that an event
   * touches are checked before the first of them changes, so that a failure leaves none half-done.
   */
  check?(body: D | undefined, event: Decoded<E>, id: string): void
  /** Documents of final collections that follow from what `evolve` made of this one. */
  finals?(after: D, event: Decoded<E>, id: string): readonly FinalDocument[]
}

/**
 * A pure fold of one category's events into collections that agree with each other. A changed shape
 * or fold is a new version, built beside the old one.
 */
export interface Projection<E extends DomainEvent = DomainEvent> {
  /** Without its version: `accounts`. */
  readonly name: string
  readonly version: number
  /** Streams of other categories are none of its business. */
  readonly category: string
  readonly codec: Codec<E>
  readonly collections: readonly Collection<E>[]
}
