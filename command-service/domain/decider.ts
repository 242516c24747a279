import type { DomainEvent } from '../../events/codec.ts'

/** A refusal is a value: a stable code, and for people what it was about. */
export interface Rejection<Code extends string = string> {
  readonly code: Code
  readonly detail: string
}

/** An event with its place in the stream. */
export interface PlacedEvent<Event> {
  readonly event: Event
  readonly revision: bigint
  readonly recordedAt: string
}

export interface DecisionContext<E extends DomainEvent> {
  /** When the events will be recorded: UTC, milliseconds, never before the stream's last. */
  readonly now: string
  /** What `recalls` named, as far as it is there, by `textOf` the name. */
  readonly recalled: ReadonlyMap<string, PlacedEvent<E>>
}

/** An id that the past is looked up by, in a namespace of its own within the stream. */
export interface Name {
  readonly namespace: string
  readonly id: string
}

export const textOf = ({ namespace, id }: Name): string => `${namespace}\n${id}`

/** The rules of one stream category. Pure: no I/O, no clock, no randomness. */
export interface Decider<Command, Event extends DomainEvent, State, Code extends string> {
  readonly initialState: () => State
  /** Events, none where all is done already, or one refusal. */
  decide(
    command: Command,
    state: State,
    context: DecisionContext<Event>,
  ): readonly Event[] | Rejection<Code>
  /** Never checks and never throws: what is in the log has happened. */
  evolve(state: State, event: Event): State
  /** The events of the past that a command's decision needs, beside the state. */
  recalls?(command: Command, state: State): readonly Name[]
  /**
   * Only where `evolve` changes the state in place: a state that reads through to the given one and
   * keeps its own changes, and the base after it took them over. The base reads as what is below the
   * layer does; another layer that lies on the merged one reads on through it.
   */
  readonly layers?: {
    layer(state: State): State
    merge(layered: State, base: State): State
  }
}

export const isRejection = <Code extends string>(
  decision: readonly unknown[] | Rejection<Code>,
): decision is Rejection<Code> => !Array.isArray(decision)
