import type { DomainEvent } from '../events/codec.ts'
import { WrongExpectedRevision } from '../events/event-store.ts'
import { type Clock, timestamp } from '../platform/clock.ts'
import { backOff } from '../platform/delay.ts'
import { type Outcome, OutcomeUnknown, Overloaded } from './command.ts'
import { type Batch, type Candidate, type Durable, decideBatch } from './decide-batch.ts'
import type { Domain } from './domain/domain.ts'
import { DamagedIdIndex } from './id-index.ts'
import { catchUp, type Folding, loadStream, unavailable } from './load-stream.ts'
import { type Recall, type Recollection, type Sought, seek } from './recall.ts'
import { settleAppend } from './settle-append.ts'
import type { Snapshots } from './snapshots.ts'

/** Commands decided at once, at most. */
const maxBatchCommands = 2_000

const betweenConflicts = { firstMs: 2, longestMs: 200 }

/** What happened, for measuring. */
export interface Observer {
  /** Commands were decided together, in so many seconds. */
  decided(commands: number, seconds: number): void
  /** Their events became durable. */
  appended(events: number, seconds: number): void
  /** Somebody else had appended to the stream first. */
  conflicted(): void
  /** The index was damaged; it is made anew from the log. */
  indexLost(cause: Error): void
}

export interface HotStreamOptions<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
> extends Folding<Event, State> {
  readonly domain: Domain<Command, Event, State, Code>
  readonly recall: Recall<Event>
  readonly snapshots: Snapshots<State>
  readonly clock: Clock
  readonly newId: () => string
  readonly observer: Observer
  /** Gives up settling unknown outcomes: the process is about to end. */
  readonly stopSettling: AbortSignal
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

interface Waiting<Command, Event extends DomainEvent, Code extends string>
  extends Candidate<Command> {
  readonly resolve: (outcome: Outcome<Event, Code>) => void
  readonly reject: (error: Error) => void
  /** Its caller was told something: it must not be decided any more. */
  isAnswered: boolean
}

export function createHotStream<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
>(
  stream: string,
  options: HotStreamOptions<Command, Event, State, Code>,
): HotStream<Command, Event, Code> {
  const { domain, store, index, recall, snapshots, clock, newId, observer } = options
  const { layers } = domain.decider
  let durable: Durable<State> | undefined
  let queue: Waiting<Command, Event, Code>[] = []
  let underWay: readonly Waiting<Command, Event, Code>[] = []
  let isAppending = false
  let working: Promise<void> | undefined
  let savedRevision = -1n
  let isFrozen = false
  let isThawDue = false

  async function work(): Promise<void> {
    while (queue.length > 0) {
      thaw()
      underWay = queue.slice(0, maxBatchCommands)
      queue = queue.slice(maxBatchCommands)
      await answerTogether()
    }
    thaw()
    working = undefined
  }

  /** Decides what is under way, makes it durable, answers it; what did not fit goes back in front. */
  async function answerTogether(): Promise<void> {
    try {
      durable ??= await load()
      for (let conflicts = 0; underWay.length > 0; ) {
        const past = await lookBack(durable.state)
        if (!past || !isIndexed(durable.revision)) {
          durable = await foldTail(durable)
          continue
        }
        const batch = decide(durable, past)
        if ((await confirm(durable, batch)) === 'confirmed') {
          commit(batch)
          answer(batch)
          return
        }
        conflicts += 1
        observer.conflicted()
        const before: bigint = durable.revision
        durable = await foldTail(durable)
        // A store may refuse before it shows why, where what it refused for is not replicated yet.
        if (durable.revision === before) await backOff(betweenConflicts, conflicts)
      }
    } catch (error) {
      fail(error)
    }
  }

  async function load(): Promise<Durable<State>> {
    const loaded = await loadStream(options, snapshots, stream)
    savedRevision = loaded.snapshotRevision
    return loaded.durable
  }

  async function foldTail(base: Durable<State>): Promise<Durable<State>> {
    durable = undefined // a fold that fails half-way leaves nothing to go on with
    return catchUp(options, stream, base)
  }

  /** What the past has of the commands under way; nothing where the index had to be given up. */
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

  /** Whether the index still knows all of the stream: another stream may have had to discard it. */
  const isIndexed = (revision: bigint): boolean => (index.coveredTo(stream) ?? -1n) === revision

  function decide(
    base: Durable<State>,
    past: ReadonlyMap<string, Recollection<Event>>,
  ): Batch<State, Event, Code> {
    const startedAt = performance.now()
    const now = clock()
    expire(now)
    underWay = underWay.filter(({ isAnswered }) => !isAnswered)
    const batch = decideBatch(domain, stream, base, underWay, past, { now: timestamp(now), newId })
    observer.decided(batch.outcomes.length, (performance.now() - startedAt) / 1_000)
    return batch
  }

  function soughtBy(state: State): readonly Sought[] {
    const all: Sought[] = []
    for (const { key, own, request } of underWay) {
      if (key) all.push(key)
      if (own) all.push(own)
      for (const name of domain.decider.recalls?.(request.command, state) ?? []) {
        all.push(seek(stream, name))
      }
    }
    return all
  }

  /** An append is confirmed by its revision; what appends nothing, by the stream's last revision. */
  async function confirm(
    { revision }: Durable<State>,
    { events }: Batch<State, Event, Code>,
  ): Promise<'confirmed' | 'conflict'> {
    if (events.length === 0) {
      if (store.exclusive) return 'confirmed'
      return ((await store.lastRevision(stream)) ?? -1n) === revision ? 'confirmed' : 'conflict'
    }
    const startedAt = performance.now()
    const expected = revision < 0n ? 'no-stream' : revision
    isAppending = true
    try {
      await settleAppend(store, stream, expected, events, options.stopSettling)
      observer.appended(events.length, (performance.now() - startedAt) / 1_000)
      return 'confirmed'
    } catch (error) {
      if (error instanceof WrongExpectedRevision) return 'conflict'
      throw error
    } finally {
      isAppending = false
    }
  }

  function commit({ after, events, ids }: Batch<State, Event, Code>): void {
    if (events.length === 0) return
    const wasIndexed = isIndexed(durable?.revision ?? -1n)
    durable = { ...after, state: layers?.merge(after.state) ?? after.state }
    if (!wasIndexed) return // discarded during the append: all is added again before the next batch
    for (const { sought, revision } of ids) index.add(sought.fingerprint, revision)
    index.cover(stream, after.revision)
  }

  function answer({ outcomes }: Batch<State, Event, Code>): void {
    const answered = underWay.slice(0, outcomes.length)
    queue = [...underWay.slice(outcomes.length), ...queue]
    underWay = []
    for (const [n, { resolve }] of answered.entries()) {
      const outcome = outcomes[n]
      if (outcome) resolve(outcome)
    }
  }

  function fail(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error))
    for (const one of underWay) refuse(one, reason)
    underWay = []
  }

  function refuse(one: Waiting<Command, Event, Code>, reason: Error): void {
    one.isAnswered = true
    one.reject(reason)
  }

  /** Before an append nothing was done; during one nobody knows yet, and settling goes on. */
  function expire(now: number): void {
    const isLate = (one: Waiting<Command, Event, Code>) =>
      !one.isAnswered && one.request.deadline <= now
    for (const one of underWay.filter(isLate)) {
      refuse(
        one,
        isAppending
          ? new OutcomeUnknown('the deadline passed while it was appended')
          : new Overloaded('the deadline passed before it was decided'),
      )
    }
    if (!queue.some(isLate)) return
    for (const one of queue.filter(isLate)) {
      refuse(one, new Overloaded('the deadline passed before it was decided'))
    }
    queue = queue.filter(({ isAnswered }) => !isAnswered)
  }

  function thaw(): void {
    if (!isThawDue) return
    isThawDue = false
    isFrozen = false
    if (durable) durable = { ...durable, state: layers?.merge(durable.state) ?? durable.state }
  }

  return {
    submit(candidate) {
      const { promise, resolve, reject } = Promise.withResolvers<Outcome<Event, Code>>()
      queue.push({ ...candidate, resolve, reject, isAnswered: false })
      working ??= work()
      return promise
    },
    expire,
    get isIdle() {
      return working === undefined
    },
    whenIdle: () => working ?? Promise.resolve(),
    get revision() {
      return durable?.revision ?? -1n
    },
    get unsavedEvents() {
      return durable ? durable.revision - savedRevision : 0n
    },
    get weight() {
      return durable ? domain.weigh(durable.state) : 0
    },
    async saveSnapshot() {
      if (!durable || isFrozen || durable.revision === savedRevision) return
      isFrozen = true
      const frozen = durable
      durable = { ...frozen, state: layers?.layer(frozen.state) ?? frozen.state }
      try {
        await snapshots.save(stream, frozen)
      } finally {
        savedRevision = frozen.revision // after a failure too: the next try is as many events away
        isThawDue = true
        if (!working) thaw()
      }
    },
  }
}
