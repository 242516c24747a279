/** A stream's name, `<category>-<id>`; the category is the part before the first `-`. */
export type StreamName = string

/** Order over the whole log, as text that sorts: monotonic, may have gaps, never a count. */
export type Position = string

/** What a stream's last revision must be for an append to happen; `any` checks nothing. */
export type ExpectedRevision = bigint | 'no-stream' | 'any'

/** An event to append. `data` and `metadata` are canonical JSON text, and these bytes are final. */
export interface NewEvent {
  /** A UUID, made anew for each decision: the same id means the same bytes. */
  readonly id: string
  readonly type: string
  readonly data: string
  readonly metadata: string
}

/** An event as the log has it: the very bytes that were appended. */
export interface RecordedEvent extends NewEvent {
  readonly stream: StreamName
  /** 0-based place in its stream, without gaps. */
  readonly revision: bigint
  readonly position: Position
}

export interface Appended {
  /** Revision of the stream's last event after the append. */
  readonly revision: bigint
  readonly position: Position
}

export type Direction = 'forward' | 'backward'

/** Reads a stream from `from` (inclusive); without it from the first or, backward, the last event. */
export interface StreamRange {
  readonly from?: bigint
  readonly direction?: Direction
  /** Events at most, in all. */
  readonly limit?: number
}

/** Reads the log from past `after` (exclusive); without it from its start or, backward, its end. */
export interface LogRange {
  readonly after?: Position
  readonly direction?: Direction
  readonly limit?: number
}

export interface Subscribe {
  /** The last position already handled; without it from the log's start. */
  readonly after?: Position
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal
}

/** Events in order, in batches as they are at hand: never empty, and at most `maxBatchBytes` large. */
export type EventBatches = AsyncIterable<readonly RecordedEvent[]>

/** The truth: an append-only log of streams. */
export interface EventStore {
  /**
   * Appends all events or none, durably. Repeating an append with the same ids and the same exact
   * expected revision (a number or `no-stream`) succeeds and appends nothing.
   * @throws {WrongExpectedRevision} nothing was appended
   * @throws {AppendTooLarge} nothing was appended
   * @throws {EventStoreUnavailable} nothing was appended
   * @throws {AppendOutcomeUnknown} it may be in the log: repeat the identical append to settle it
   */
  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<Appended>
  /** A stream that does not exist has no events. @throws {DamagedLog} */
  readStream(stream: StreamName, range?: StreamRange): EventBatches
  /** @throws {DamagedLog} */
  readAll(range?: LogRange): EventBatches
  /** Whether a text is written as this engine writes positions; reading from another is a failure. */
  isPosition(text: string): boolean
  /** All that is in the log past a position, then what is appended, as it comes. At least once, in order. */
  subscribe(options: Subscribe): EventBatches
  /** The stream's last revision; `undefined` where it does not exist. */
  lastRevision(stream: StreamName): Promise<bigint | undefined>
  /** Whether no other process can append, so that the last append is known to be the newest. */
  readonly exclusive: boolean
  /** Waits for the appends under way. */
  close(): Promise<void>
}

/** Limits of one append, the same on every engine. */
export const maxAppendBytes = 900_000
export const maxEventsPerAppend = 10_000

/** What the events of one batch count together at most; any single event is smaller. */
export const maxBatchBytes = 4 * 1024 * 1024

/** What an event counts towards these limits. Canonical JSON of ASCII is its length. */
export const bytesOf = (event: NewEvent): number =>
  Buffer.byteLength(event.data) + Buffer.byteLength(event.metadata) + event.type.length + 36

export class WrongExpectedRevision extends Error {
  readonly code = 'WRONG_EXPECTED_REVISION'
  readonly stream: StreamName
  readonly expected: ExpectedRevision
  /** `undefined` where the stream does not exist. */
  readonly actual: bigint | undefined
  constructor(stream: StreamName, expected: ExpectedRevision, actual: bigint | undefined) {
    super(`${stream} is at revision ${actual ?? 'none'}, not at ${expected}`)
    this.stream = stream
    this.expected = expected
    this.actual = actual
  }
}

export class AppendTooLarge extends Error {
  readonly code = 'APPEND_TOO_LARGE'
}

/** Nothing was appended: the engine is gone, full, or has too many appends waiting. */
export class EventStoreUnavailable extends Error {
  readonly code = 'EVENT_STORE_UNAVAILABLE'
}

/** The append may be in the log or not; the identical append, repeated, settles it. */
export class AppendOutcomeUnknown extends Error {
  readonly code = 'APPEND_OUTCOME_UNKNOWN'
}

/** An event is not what was appended, or the log's order is broken. Its place is named, its content not served. */
export class DamagedLog extends Error {
  readonly code = 'DAMAGED_LOG'
}
