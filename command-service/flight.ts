import type { DomainEvent } from '../events/codec.ts'
import {
  AppendOutcomeUnknown,
  type EventStore,
  WrongExpectedRevision,
} from '../events/event-store.ts'
import type { Batch } from './decide-batch.ts'
import type { Observer } from './observer.ts'
import { settleAppend } from './settle-append.ts'

/** What became of a batch. Only `confirmed` makes it count; a failure tells what is known of it. */
export type Landing = 'confirmed' | 'conflict' | { readonly failure: Error }

/** A batch on its way to be confirmed. */
export interface Flight<Waiting, State, Event extends DomainEvent, Code extends string> {
  /** Its commands, in the order of the batch's outcomes. */
  readonly commands: readonly Waiting[]
  readonly batch: Batch<State, Event, Code>
  /** Once it is known. It counts only after the flights before it were confirmed. */
  landing: Landing | undefined
  readonly landed: Promise<Landing>
}

export interface FlightOptions {
  readonly store: EventStore
  readonly observer: Observer
  /** Gives up settling unknown outcomes: the process is about to end. */
  readonly stopSettling: AbortSignal
}

/**
 * Has a batch that was decided on `revision` confirmed: one with events by appending them, one without
 * by the stream's last revision. Never throws.
 */
export async function confirm<State, Event extends DomainEvent, Code extends string>(
  { store, observer, stopSettling }: FlightOptions,
  stream: string,
  revision: bigint,
  { events }: Batch<State, Event, Code>,
): Promise<Landing> {
  try {
    if (events.length === 0) {
      if (store.exclusive) return 'confirmed'
      return ((await store.lastRevision(stream)) ?? -1n) === revision ? 'confirmed' : 'conflict'
    }
    const startedAt = performance.now()
    const expected = revision < 0n ? 'no-stream' : revision
    await settleAppend(store, stream, expected, events, stopSettling)
    observer.appended(events.length, (performance.now() - startedAt) / 1_000)
    return 'confirmed'
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return 'conflict'
    return { failure: error instanceof Error ? error : new Error(String(error)) }
  }
}

const isUnknown = (landing: Landing | undefined): boolean =>
  typeof landing === 'object' && landing.failure instanceof AppendOutcomeUnknown

/** Of a flight that is given up after the first of all landed so: whether the log may have it. */
export const mayBeDone = (
  { landing, batch }: Pick<Flight<never, unknown, DomainEvent, string>, 'landing' | 'batch'>,
  first: Landing,
): boolean =>
  isUnknown(landing) || (isUnknown(first) && landing === 'confirmed' && batch.events.length > 0)
