import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DomainEvent } from '../events/codec.ts'
import { EventStoreUnavailable } from '../events/event-store.ts'
import { type Clock, timestamp } from '../platform/clock.ts'
import { backOff } from '../platform/delay.ts'
import { type Outcome, OutcomeUnknown } from './command.ts'
import { type Batch, type Candidate, decideBatch, type Folded } from './decide-batch.ts'
import type { Domain } from './domain/domain.ts'
import { confirm, type Flight, type FlightOptions, type Landing, mayBeDone } from './flight.ts'
import { DamagedIdIndex } from './id-index.ts'
import { unavailable } from './load-stream.ts'
import { type Recall, type Recollection, type Sought, seek } from './recall.ts'
import { createStreamBase, type StreamBaseOptions } from './stream-base.ts'
import { createAnswering, type OnAnswered, type WaitingCommand } from './waiting-command.ts'

/** Commands decided at once, at most. */
const maxBatchCommands = 2_000

/** Batches on their way at once: one is decided while the one before it becomes durable. */
const maxFlights = 2

const betweenConflicts = { firstMs: 2, longestMs: 200 }

export interface HotStreamOptions<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
> extends StreamBaseOptions<Event, State>,
    FlightOptions {
  readonly domain: Domain<Command, Event, State, Code>
  readonly recall: Recall<Event>
  readonly clock: Clock
  readonly newId: () => string
  readonly onAnswered: OnAnswered
}

/** A stream in use: its folded state, and the commands that wait for it. */
export interface HotStream<Command, Event extends DomainEvent, Code extends string> {
  submit(candidate: Candidate<Command>): Promise<Outcome<Event, Code>>
  /** Rejects the commands whose deadline has passed, each with what is known of it. */
  expire(now: number): void
  readonly isIdle: boolean
  /** Resolves when nothing waits and nothing is under way. */
  whenIdle(): Promise<void>
  /** The last durable revision; -1n where there is none, or where the stream is not loaded. */
  readonly revision: bigint
  /** Events that its snapshot lacks. */
  readonly unsavedEvents: bigint
  /** About how many bytes it takes in memory. */
  readonly weight: number
  /** Writes the snapshot, while commands go on; the state that is written does not change meanwhile. */
  saveSnapshot(): Promise<void>
}

/**
 * One loop decides the stream's commands in order, on the durable base and on what the batches that
 * are under way will leave behind. They land in order too: what rests on one that fails is discarded
 * with it and decided again, and nothing of a batch is answered before all it rests on is durable.
 */
export function createHotStream<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
>(
  stream: string,
  options: HotStreamOptions<Command, Event, State, Code>,
): HotStream<Command, Event, Code> {
  type Own = WaitingCommand<Command, Event, Code>
  const { domain, store, index, recall, clock, newId, observer } = options
  const base = createStreamBase(stream, options)
  const { answer, refuse, refuseLate } = createAnswering<Command, Event, Code>(options.onAnswered)
  let queue: Own[] = []
  /** Taken from the queue to be decided next. */
  let taken: readonly Own[] = []
  const flights: Flight<Own, State, Event, Code>[] = []
  let conflicts = 0
  let working: Promise<void> | undefined
  let wake: (() => void) | undefined

  /** A command came, or what became of a flight is known. */
  const changed = (): Promise<void> => new Promise((resolve) => (wake = resolve))

  async function work(): Promise<void> {
    for (;;) {
      const [first] = flights
      if (first?.landing) await land(first, first.landing)
      else if (canLaunch()) await launch()
      else if (first) await changed()
      else break
    }
    working = undefined
  }

  /** An index that has to be made anew is made when nothing is under way. */
  const canLaunch = (): boolean =>
    queue.length > 0 && flights.length < maxFlights && (flights.length === 0 || base.isIndexed)

  /** Decides what waits, and sends it off. */
  async function launch(): Promise<void> {
    await nextTurn() // what has arrived at the same time is decided together
    const next = queue.slice(0, maxBatchCommands)
    queue = queue.slice(maxBatchCommands)
    await holding(next, async () => {
      const durable = await base.load()
      const tip = flights.at(-1)?.batch.after ?? durable
      const past = await lookBack(tip.state)
      if (past && base.isIndexed) takeOff(tip, past)
      else if (flights.length === 0) await indexAnew()
    })
  }

  /** Another stream may discard the index meanwhile: then again. Any other end is a failure. */
  async function indexAnew(): Promise<void> {
    const { generation } = index
    await base.foldTail()
    if (base.isIndexed || index.generation !== generation) return
    base.forget()
    throw new EventStoreUnavailable(`${stream} was not read up to what is known of it`)
  }

  /** Does a step for commands; those it does not pass on go back in front, or fail with it. */
  async function holding(commands: readonly Own[], step: () => Promise<void>): Promise<void> {
    taken = commands
    try {
      await step()
    } catch (error) {
      for (const one of taken) refuse(one, errorOf(error))
    }
    queue = [...taken.filter(({ isAnswered }) => !isAnswered), ...queue]
    taken = []
  }

  function takeOff(tip: Folded<State>, past: ReadonlyMap<string, Recollection<Event>>): void {
    const startedAt = performance.now()
    const now = clock()
    refuseLate(taken, now)
    const candidates = taken.filter(({ isAnswered }) => !isAnswered)
    const pasts = [...flights.map(({ batch }) => batch.pending).reverse(), past]
    const context = { now: timestamp(now), newId }
    const batch = decideBatch(domain, stream, tip, candidates, pasts, context)
    observer.decided(batch.outcomes.length, (performance.now() - startedAt) / 1_000)
    taken = candidates.slice(batch.outcomes.length) // what did not fit into one append
    const before = flights.at(-1)
    const flight: Flight<Own, State, Event, Code> = {
      commands: candidates.slice(0, batch.outcomes.length),
      batch,
      landing: undefined,
      landed: confirmAfter(before, tip.revision, batch),
    }
    flights.push(flight)
    void flight.landed.then((landing) => {
      flight.landing = landing
      wake?.()
    })
  }

  /**
   * Where others append too, a batch is sent when the one before it is confirmed: else it could meet
   * the revision that it expects although what it was decided on never happened.
   */
  async function confirmAfter(
    before: Flight<Own, State, Event, Code> | undefined,
    revision: bigint,
    batch: Batch<State, Event, Code>,
  ): Promise<Landing> {
    if (before && !store.exclusive && (await before.landed) !== 'confirmed') return 'conflict'
    return confirm(options, stream, revision, batch)
  }

  async function land(flight: Flight<Own, State, Event, Code>, landing: Landing): Promise<void> {
    if (landing === 'confirmed') {
      flights.shift()
      conflicts = 0
      base.commit(flight.batch)
      answer(flight.commands, flight.batch.outcomes)
      return
    }
    // Nothing else is sent before it is certain that what was sent on top of it was refused.
    await Promise.all(flights.map(({ landed }) => landed))
    const discarded = flights.splice(0)
    for (const { commands } of discarded.filter((one) => mayBeDone(one, landing))) {
      base.forget()
      const reason = new OutcomeUnknown('it stopped before the append was settled')
      for (const one of commands) refuse(one, reason)
    }
    const commands = discarded.flatMap((one) => one.commands)
    if (landing === 'conflict') {
      await holding(commands, foldWhatOthersAppended)
      return
    }
    for (const one of flight.commands) refuse(one, landing.failure)
    await holding(commands, async () => {})
  }

  async function foldWhatOthersAppended(): Promise<void> {
    conflicts += 1
    observer.conflicted()
    const before = base.revision
    const { revision } = await base.foldTail()
    // A store may refuse before it shows why, where what it refused for is not replicated yet.
    if (revision === before) await backOff(betweenConflicts, conflicts)
  }

  /** What the past has of the commands taken; nothing where the index had to be given up. */
  async function lookBack(
    state: State,
  ): Promise<ReadonlyMap<string, Recollection<Event>> | undefined> {
    try {
      return await recall(stream, soughtBy(state))
    } catch (error) {
      if (!(error instanceof DamagedIdIndex)) throw unavailable(stream, error)
      observer.indexLost(error)
      await index.discard()
      return undefined
    }
  }

  function soughtBy(state: State): readonly Sought[] {
    const all: Sought[] = []
    for (const { key, own, request } of taken) {
      if (key) all.push(key)
      if (own) all.push(own)
      for (const name of domain.decider.recalls?.(request.command, state) ?? []) {
        all.push(seek(stream, name))
      }
    }
    return all
  }

  /** Before an append nothing was done; during one nobody knows yet, and settling goes on. */
  function expire(now: number): void {
    for (const { commands, batch } of flights) refuseLate(commands, now, batch.events.length > 0)
    refuseLate(taken, now)
    if (refuseLate(queue, now) > 0) queue = queue.filter(({ isAnswered }) => !isAnswered)
  }

  return {
    submit(candidate) {
      const { promise, resolve, reject } = Promise.withResolvers<Outcome<Event, Code>>()
      queue.push({ ...candidate, resolve, reject, isAnswered: false })
      if (working) wake?.()
      else working = work()
      return promise
    },
    expire,
    get isIdle() {
      return working === undefined
    },
    whenIdle: () => working ?? Promise.resolve(),
    get revision() {
      return base.revision
    },
    get unsavedEvents() {
      return base.unsavedEvents
    },
    get weight() {
      return base.weight
    },
    saveSnapshot: base.saveSnapshot,
  }
}

const errorOf = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error))
