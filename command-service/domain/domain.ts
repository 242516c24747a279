import type { Codec, DomainEvent } from '../../events/codec.ts'
import type { Audit } from './audit.ts'
import type { Decider, Name } from './decider.ts'

/** How a state is kept in a snapshot: lines of JSON values, each small enough to write at once. */
export interface SnapshotForm<State> {
  write(state: State): Iterable<unknown>
  read(lines: Iterable<unknown>): State
}

/** All that the core needs to know of one stream category. A second domain is one more of these. */
export interface Domain<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
> {
  /** Streams are named `<category>-<id>`. */
  readonly category: string
  readonly codec: Codec<Event>
  readonly decider: Decider<Command, Event, State, Code>
  /** The id that names a command beside its idempotency key, such as a transaction's. */
  nameOf(command: Command): Name | undefined
  /** The ids that an event is about. A name's latest event is what the past is asked for. */
  namesIn(event: Event): readonly Name[]
  /** What a command is refused with whose id was used with other content. */
  conflict(name: Name): Code
  readonly snapshot: SnapshotForm<State>
  readonly audit: Audit<Command, Event, State>
  /** About how many bytes the state takes in memory. */
  weigh(state: State): number
  /** Folders of the sources that the fold depends on: a change in any makes old snapshots void. */
  readonly sources: readonly URL[]
}
