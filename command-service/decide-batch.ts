import type { CommandAccepted, DomainEvent } from '../events/codec.ts'
import {
  bytesOf,
  maxAppendBytes,
  maxEventsPerAppend,
  type NewEvent,
} from '../events/event-store.ts'
import type { CommandRequest, CoreRejectionCode, Outcome } from './command.ts'
import {
  isRejection,
  type Name,
  type PlacedEvent,
  type Rejection,
  textOf,
} from './domain/decider.ts'
import type { Domain } from './domain/domain.ts'
import { type Recollection, type Sought, seek } from './recall.ts'

/** A command with what it is known by, worked out when it arrives. */
export interface Candidate<Command> {
  readonly request: CommandRequest<Command>
  readonly hash: string
  /** Of its content as canonical JSON: what it weighs while it waits. */
  readonly bytes: number
  /** Its idempotency key and its own id, as far as it has them. */
  readonly key: Sought | undefined
  readonly own: Sought | undefined
}

/** A stream up to a revision: what is durable of it, or what will be when its appends succeed. */
export interface Folded<State> {
  readonly state: State
  /** -1n before the first event. */
  readonly revision: bigint
  /** When its last event was recorded; empty before the first. */
  readonly recordedAt: string
}

/** What deciding some commands in order came to. Nothing of it counts until its events are durable. */
export interface Batch<State, Event extends DomainEvent, Code extends string> {
  /** One for each command that was decided; those after them did not fit into one append. */
  readonly outcomes: readonly Outcome<Event, Code>[]
  readonly events: readonly NewEvent[]
  readonly after: Folded<State>
  /** Which ids the events are about, for the index. */
  readonly ids: readonly { readonly sought: Sought; readonly revision: bigint }[]
  /** What its commands leave behind, by their names' text, for those decided on top of it. */
  readonly pending: ReadonlyMap<string, Recollection<Event>>
}

const nothingRecalled: ReadonlyMap<string, never> = new Map<string, never>()
const nothingChanged: CommandAccepted = { type: 'CommandAccepted', data: {} }

/**
 * Decides commands in order, each on what those before it leave behind, until all are decided or an
 * append is full. The base stays as it is. `pasts` are looked through for a name one after the other.
 */
export function decideBatch<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
>(
  domain: Domain<Command, Event, State, Code>,
  stream: string,
  base: Folded<State>,
  candidates: readonly Candidate<Command>[],
  pasts: readonly ReadonlyMap<string, Recollection<Event>>[],
  { now, newId }: { readonly now: string; readonly newId: () => string },
): Batch<State, Event, Code> {
  const { decider } = domain
  const recordedAt = now > base.recordedAt ? now : base.recordedAt
  let state = decider.layers?.layer(base.state) ?? base.state
  let { revision } = base
  let bytes = 0
  const outcomes: Outcome<Event, Code>[] = []
  const events: NewEvent[] = []
  const ids: { sought: Sought; revision: bigint }[] = []
  const pending = new Map<string, Recollection<Event>>()
  const newestFirst = [pending, ...pasts]

  function lookUp(text: string): Recollection<Event> | undefined {
    for (const past of newestFirst) {
      const known = past.get(text)
      if (known) return known
    }
    return undefined
  }

  function remember(sought: Sought, recollection: Recollection<Event>): void {
    pending.set(sought.text, recollection)
    ids.push({ sought, revision: recollection.event?.revision ?? recollection.revision })
  }

  for (const candidate of candidates) {
    const { request, key, own } = candidate
    const known = answerFromThePast(domain, candidate, lookUp)
    if (known) {
      outcomes.push(known)
      continue
    }
    const names = decider.recalls?.(request.command, state)
    const decision = decider.decide(request.command, state, {
      now: recordedAt,
      recalled: names ? eventsOf(names, lookUp) : nothingRecalled,
    })
    if (isRejection(decision)) {
      outcomes.push({ status: 'refused', rejection: decision })
      continue
    }
    const made = key && decision.length === 0 ? [nothingChanged] : decision
    const encoded = encode(domain, candidate, made, recordedAt, newId)
    const size = encoded.reduce((sum, event) => sum + bytesOf(event), 0)
    if (size > maxAppendBytes || encoded.length > maxEventsPerAppend) {
      const detail = `it would make ${encoded.length} events of ${size} bytes`
      outcomes.push({ status: 'refused', rejection: { code: 'command-too-large', detail } })
      continue
    }
    if (bytes + size > maxAppendBytes || events.length + encoded.length > maxEventsPerAppend) break

    const placed = decision.map((event, index) => ({
      event,
      revision: revision + BigInt(index + 1),
      recordedAt,
    }))
    if (request.dryRun) {
      outcomes.push({ status: 'accepted', revision: undefined, events: placed, replayed: false })
      continue
    }
    bytes += size
    events.push(...encoded)
    revision += BigInt(encoded.length)
    for (const event of decision) state = decider.evolve(state, event)

    const recollection = { event: undefined, hash: candidate.hash, events: placed, revision }
    if (key) remember(key, recollection)
    for (const event of placed) {
      for (const name of domain.namesIn(event.event)) {
        const sought = own && isSame(own.name, name) ? own : seek(stream, name)
        remember(sought, { ...recollection, event })
      }
    }
    outcomes.push({
      status: 'accepted',
      revision: revision < 0n ? undefined : revision,
      events: placed,
      replayed: false,
    })
  }
  return { outcomes, events, after: { state, revision, recordedAt }, ids, pending }
}

/** A key or an id that was used answers again, or is refused where the content is another. */
function answerFromThePast<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  Code extends string,
>(
  domain: Pick<Domain<Command, Event, never, Code>, 'conflict'>,
  { hash, key, own }: Candidate<Command>,
  lookUp: (text: string) => Recollection<Event> | undefined,
): Outcome<Event, Code> | undefined {
  for (const sought of [key, own]) {
    const known = sought && lookUp(sought.text)
    if (!known) continue
    if (known.hash === hash) {
      const { events, revision } = known
      return { status: 'accepted', revision, events, replayed: true }
    }
    const rejection: Rejection<Code | CoreRejectionCode> =
      sought === key
        ? { code: 'idempotency-key-reused', detail: 'the key was used with other content' }
        : {
            code: domain.conflict(sought.name),
            detail: `${sought.name.id} was used with other content`,
          }
    return { status: 'refused', rejection }
  }
  return undefined
}

function encode<Command extends { readonly type: string }, Event extends DomainEvent>(
  { codec }: Pick<Domain<Command, Event, never, string>, 'codec'>,
  { request, hash }: Candidate<Command>,
  events: readonly (Event | CommandAccepted)[],
  recordedAt: string,
  newId: () => string,
): readonly NewEvent[] {
  const { caller, idempotencyKey: key, trace } = request
  const { type } = request.command
  const count = events.length
  return events.map((event, index) => {
    const command =
      key === undefined
        ? { caller, count, hash, index, type }
        : { caller, count, hash, index, key, type }
    return codec.encode(event, newId(), { ...trace, command, recordedAt })
  })
}

function eventsOf<Event extends DomainEvent>(
  names: readonly Name[],
  lookUp: (text: string) => Recollection<Event> | undefined,
): ReadonlyMap<string, PlacedEvent<Event>> {
  const recalled = new Map<string, PlacedEvent<Event>>()
  for (const text of names.map(textOf)) {
    const event = lookUp(text)?.event
    if (event) recalled.set(text, event)
  }
  return recalled
}

const isSame = (a: Name, b: Name): boolean => a.id === b.id && a.namespace === b.namespace
