import type { DomainEvent } from '../../events/codec.ts'

/** What it takes to decide a domain's past again, and to judge what it came to. Pure. */
export interface Audit<Command, Event extends DomainEvent, State> {
  /** The command of this type that makes these events, for they say all that it said. */
  commandOf(type: string, events: readonly Event[]): Command | undefined
  /**
   * A state as named values, of which two states are the same that have the same, in any order.
   * Values are JSON, with `bigint` and `undefined` beside.
   */
  partsOf(state: State): Iterable<readonly [part: string, value: unknown]>
  /** What must hold of every state and does not of this one, a line each. */
  faultsOf?(state: State): Iterable<string>
}
