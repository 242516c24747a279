import { type Decoded, type DomainEvent, isDomainEvent, UnknownEvent } from '../events/codec.ts'
import { readSkips, type Skip } from '../events/control.ts'
import type { Delivery } from '../events/event-bus.ts'
import type { RecordedEvent } from '../events/event-store.ts'
import { systemClock, timestamp } from '../platform/clock.ts'
import { versionedName } from './build-names.ts'
import { coverageAfter } from './coverage.ts'
import { createEventRate } from './event-rate.ts'
import { createFolder, type Folded } from './fold.ts'
import { furthestOf } from './past.ts'
import type { Projection } from './projection.ts'
import type { ProjectorOptions } from './projector-options.ts'
import type { ProjectorState } from './projector-state.ts'
import type {
  Build,
  Changes,
  Coverage,
  DocumentWrite,
  Furthest,
  Parked,
  Progress,
} from './read-model-store.ts'
import type { Decode } from './shared-decoder.ts'

/** Events folded and written at once while a gap is filled or a parked stream is retried. */
const maxFoldedEvents = 10_000

/**
 * Events folded at once in a delivery: few enough for what is made of them to be gone before the next
 * collection of garbage, which copies what is still in use; and their characters, as one event of a
 * thousand postings weighs as much as hundreds.
 */
const eventsFoldedAtOnce = 250
const maxFoldedCharacters = 4_000_000

/** Documents in memory that wait to be written, where writing is put off. */
const maxUnwrittenDocuments = 50_000

/** Streams whose progress is kept in memory; beyond it all are read anew. */
const maxKnownStreams = 100_000

/** Feeds one build of a projection, each event exactly once in effect, whatever comes how often. */
export interface Projector {
  readonly projection: Projection
  readonly build: Build
  /**
   * Resolves when the delivery is written; one with a marker is a checkpoint.
   * @throws {ProjectionHalted} nothing of it is written
   */
  handle(delivery: Delivery): Promise<void>
  /** Applies a parked stream's events in order from the event store; says whether all went well. */
  retry(stream: string): Promise<boolean>
  state(): ProjectorState
}

/** An event of an unknown type or version, or another log's: going on would be guessing. */
export class ProjectionHalted extends Error {
  readonly code = 'PROJECTION_HALTED'
}

/** @throws {ProjectionHalted} where the build is of another log */
export async function createProjector(options: ProjectorOptions): Promise<Projector> {
  const { projection, build, store, logId, now = systemClock, onAlarm = () => {} } = options
  const { eventsPerCheckpoint = 0 } = options
  const decode: Decode = options.decode ?? ((codec, recorded) => codec.decode(recorded))
  const folder = createFolder(projection, build)
  const rate = createEventRate(now)
  const streamPrefix = `${projection.category}-`
  const parked = new Map((await build.parked()).map((one) => [one.stream, one.revision]))
  const known = new Map<string, bigint>()
  let skips = await readSkips(store, versionedName(projection))
  let coverage = await build.coverage()
  let halted: string | undefined
  let gapsFilled = 0
  let writesRefused = 0
  if (coverage && coverage.logId !== logId) {
    throw new ProjectionHalted(`${build.name} was built from the log ${coverage.logId}`)
  }

  async function progressOf(stream: string): Promise<bigint> {
    let progress = known.get(stream)
    if (progress === undefined) {
      progress = (await build.progress(stream)) ?? -1n
      known.set(stream, progress)
    }
    return progress
  }

  /** Events selected for one write, and how far they bring each stream. */
  let pending: Decoded<DomainEvent>[] = []
  let reached = new Map<string, bigint>()
  let newlyParked: Parked[] = []
  let pendingCharacters = 0
  let unwritten = 0
  /** `coverage`, and what is folded but not written. */
  let ahead = coverage
  let furthest: Furthest | undefined

  async function select(recorded: RecordedEvent): Promise<void> {
    const { stream, revision } = recorded
    if (!stream.startsWith(streamPrefix) || parked.has(stream)) return
    const progress = known.get(stream) ?? (await progressOf(stream))
    if (revision === progress + 1n) return add(recorded)
    if (revision <= progress) return
    await fillGap(stream, progress + 1n, revision)
    if (parked.has(stream)) return
    if ((await progressOf(stream)) !== revision - 1n) {
      throw new Error(`${stream}: the event store does not have what is before ${revision} yet`)
    }
    add(recorded)
  }

  function add(recorded: RecordedEvent): void {
    const { stream, revision } = recorded
    const event = decode(projection.codec, recorded)
    if (isDomainEvent(event) && !isSkipped(skips, event)) pending.push(event)
    pendingCharacters += recorded.data.length
    known.set(stream, revision)
    reached.set(stream, revision)
  }

  /** Comes before anything is written of these events. */
  function see(events: readonly RecordedEvent[]): void {
    furthest = furthestOf(events, logId, furthest)
  }

  async function fillGap(stream: string, from: bigint, to: bigint): Promise<void> {
    gapsFilled += 1
    const detail = `${stream}: ${to - from} events from revision ${from} came from the event store`
    onAlarm({ kind: 'gap', build: build.name, detail })
    for await (const page of store.readStream(stream, { from, limit: Number(to - from) })) {
      see(page)
      for (const recorded of page) if (!parked.has(stream)) add(recorded)
      if (pending.length >= maxFoldedEvents || isHeavy()) await flush()
    }
  }

  /** Folds what was selected. A stream whose fold fails is parked before the failure. */
  async function foldPending(): Promise<readonly DocumentWrite[]> {
    const { finals, failures } = await folder.fold(pending)
    newlyParked.push(...park(failures))
    rate.add(pending.length)
    unwritten += pending.length
    clearPending()
    return finals
  }

  /** Folds and writes what was selected, with all that was put off. */
  async function flush(next?: Coverage, unparked: readonly string[] = []): Promise<void> {
    const finals = await foldPending()
    const refused = await build.write({
      furthest,
      finals,
      documents: folder.changed(),
      parked: newlyParked,
      unparked: unparked.filter((stream) => !parked.has(stream)),
      progress: [...reached].map(([stream, revision]): Progress => ({ stream, revision })),
      ...(next ? { coverage: next } : {}),
    })
    writesRefused += refused.length
    if (refused.length === 0 && known.size < maxKnownStreams) folder.keep()
    else forget()
    unwritten = 0
    newlyParked = []
    reached = new Map()
    coverage = next ?? coverage
  }

  /** Folds and writes what never changes again; the rest waits for a checkpoint. */
  async function flushFinals(): Promise<void> {
    const finals = await foldPending()
    await build.write({ ...nothing, furthest, finals })
  }

  function park(failures: Folded['failures']): readonly Parked[] {
    return [...failures.values()].map(({ stream, revision, error }) => {
      const reason = error instanceof Error ? error.message : String(error)
      parked.set(stream, revision)
      known.set(stream, revision - 1n)
      if (revision === 0n) reached.delete(stream)
      else reached.set(stream, revision - 1n)
      onAlarm({ kind: 'parked', build: build.name, detail: `${stream}@${revision}: ${reason}` })
      return { stream, revision, reason, parkedAt: timestamp(now()) }
    })
  }

  /**
   * What is in memory of a stream and its documents is as far as each other, or not there at all:
   * where another projector was faster, all of it is read anew.
   */
  function forget(): void {
    known.clear()
    folder.forget()
  }

  const isHeavy = () => pendingCharacters >= maxFoldedCharacters

  function clearPending(): void {
    pending = []
    pendingCharacters = 0
  }

  /** After a failure memory may be ahead of what is written: what is written counts. */
  async function startAnew(): Promise<void> {
    clearPending()
    reached = new Map()
    newlyParked = []
    unwritten = 0
    ahead = coverage
    forget()
    await build.abandon()
    parked.clear()
    for (const { stream, revision } of await build.parked()) parked.set(stream, revision)
  }

  let busy: Promise<unknown> = Promise.resolve()
  let needsNewStart = true

  /** One piece of work at a time: a retry never comes between a delivery's steps. */
  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = busy.then(async () => {
      if (halted !== undefined) throw new ProjectionHalted(halted)
      if (needsNewStart) await startAnew()
      needsNewStart = true
      const result = await work().catch(haltIfUnknown)
      needsNewStart = false
      return result
    })
    busy = done.catch(() => undefined)
    return done
  }

  function haltIfUnknown(error: unknown): never {
    if (!(error instanceof UnknownEvent)) throw error
    halted = error.message
    onAlarm({ kind: 'halted', build: build.name, detail: halted })
    throw new ProjectionHalted(halted, { cause: error })
  }

  return {
    projection,
    build,

    handle: (delivery) =>
      exclusively(async () => {
        if (delivery.marker && delivery.marker.logId !== logId) {
          throw new ProjectionHalted(`a marker of the log ${delivery.marker.logId} came`)
        }
        see(delivery.events)
        for (const recorded of delivery.events) {
          await select(recorded)
          if (pending.length >= eventsFoldedAtOnce || isHeavy()) await flushFinals()
        }
        ahead = coverageAfter(ahead, delivery, { logId, now: timestamp(now()) })
        const isCheckpoint =
          delivery.marker !== undefined ||
          unwritten + pending.length >= eventsPerCheckpoint ||
          folder.size() >= maxUnwrittenDocuments
        if (!isCheckpoint) await flushFinals()
        else if (reached.size > 0 || ahead !== coverage) await flush(ahead)
      }),

    retry: (stream) =>
      exclusively(async () => {
        skips = await readSkips(store, versionedName(projection))
        if (!parked.delete(stream)) return true
        known.delete(stream)
        const from = (await progressOf(stream)) + 1n
        for await (const page of store.readStream(stream, { from })) {
          see(page)
          for (const recorded of page) add(recorded)
          await flush()
          if (parked.has(stream)) break
        }
        await flush(undefined, [stream])
        return !parked.has(stream)
      }),

    state: () => ({
      projection: projection.name,
      version: projection.version,
      build: build.name,
      coverage,
      lagSeconds: coverage && Math.max(0, (now() - Date.parse(coverage.levelAt)) / 1_000),
      events: rate.total(),
      eventsPerSecond: rate.perSecond(),
      gapsFilled,
      writesRefused,
      parked: parked.size,
      isIncomplete: skips.length > 0,
      halted,
    }),
  }
}

const nothing: Changes = { finals: [], documents: [], parked: [], unparked: [], progress: [] }

const isSkipped = (skips: readonly Skip[], { stream, revision }: Decoded<DomainEvent>): boolean =>
  skips.some((skip) => skip.stream === stream && BigInt(skip.revision) === revision)
