import type { Fingerprint } from './fingerprint.ts'

/** The last event of a stream that is in the index. */
export interface LastCovered {
  readonly revision: bigint
  /** A log with another event there has another past: an older copy of it was restored. */
  readonly id: string
}

/**
 * Remembers for ever which ids a stream has seen: fingerprint → revision of the latest event about
 * the id. Disposable: what it lacks is read from the log again.
 */
export interface IdIndex {
  /** A hit is to be confirmed against the full id, in the event itself. */
  find(fingerprints: readonly Fingerprint[]): Promise<readonly (bigint | undefined)[]>
  /** Adds what a durable event is about, in the order of the stream. */
  add(fingerprint: Fingerprint, revision: bigint): void
  /** All events of the stream up to here have been added. */
  cover(stream: string, last: LastCovered): void
  /** The stream's events are to be added again: those it was covered to are of another past. */
  uncover(stream: string): void
  /** Up to where a stream's events are in the index; `undefined` where none is. */
  coveredTo(stream: string): LastCovered | undefined
  /** How often all was thrown away: what was added before that counts for nothing after it. */
  readonly generation: number
  /** Throws all away, files too: every stream's events are to be added again. */
  discard(): Promise<void>
  /** Writes what is not in a file yet. */
  save(): Promise<void>
  close(): Promise<void>
}

/** A file of the index is damaged: discard it all, the log has it. */
export class DamagedIdIndex extends Error {
  readonly code = 'DAMAGED_ID_INDEX'
}
