import type { EventMetadata } from '../events/event-metadata.ts'
import type { PlacedEvent, Rejection } from './domain/decider.ts'

/** A command on its way to be decided. */
export interface CommandRequest<Command> {
  readonly command: Command
  /** What the client sent, before anything was filled in: what a repetition is compared by. */
  readonly content: unknown
  /** Names the command among its caller's. */
  readonly idempotencyKey?: string
  /** Who asks. `anonymous` until there is identity. */
  readonly caller: string
  /** Decide and answer, but append nothing. */
  readonly dryRun?: boolean
  /** When the caller stops waiting, in the clock's milliseconds. Past it nothing is decided. */
  readonly deadline: number
  /** Written into each event's metadata. */
  readonly trace?: Pick<EventMetadata, 'correlationId' | 'causationId' | 'traceparent'>
}

/** What became of a command. It is given only when all that it was decided on is durable. */
export type Outcome<Event, Code extends string = string> =
  | {
      readonly status: 'accepted'
      /** The last event of the command; where it made none, the stream's last. */
      readonly revision: bigint | undefined
      readonly events: readonly PlacedEvent<Event>[]
      /** The answer that the same command got the first time. */
      readonly replayed: boolean
    }
  | { readonly status: 'refused'; readonly rejection: Rejection<Code | CoreRejectionCode> }

/** Refusals that any domain's commands can meet. */
export type CoreRejectionCode = 'command-too-large' | 'idempotency-key-reused'

/** Nothing was done: the queue is full, the deadline passed, or the service is stopping. */
export class Overloaded extends Error {
  readonly code = 'OVERLOADED'
}

/** The command may have been done; the same command with the same key tells. */
export class OutcomeUnknown extends Error {
  readonly code = 'OUTCOME_UNKNOWN'
}

/** This stream cannot be served: its log is damaged, or holds what this program does not know. */
export class StreamUnavailable extends Error {
  readonly code = 'STREAM_UNAVAILABLE'
}
