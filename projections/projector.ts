import { type Decoded, type DomainEvent, isDomainEvent, UnknownEvent } from '../events/codec.ts'
import { readSkips, type Skip } from '../events/control.ts'
import type { Delivery } from '../events/event-bus.ts'
import { DamagedLog, type RecordedEvent } from '../events/event-store.ts'
import { systemClock, timestamp } from '../platform/clock.ts'
import { versionedName } from './build-names.ts'
import { coverageAfter } from './coverage.ts'
import { createEventRate } from './event-rate.ts'
import { createFolder, FoldSpoiled } from './fold.ts'
import { furthestOf } from './past.ts'
import type { Projection } from './projection.ts'
import type { ProjectorOptions } from './projector-options.ts'
import type { ProjectorState } from './projector-state.ts'
import type { Build, Changes, Coverage, DocumentWrite, Furthest } from './read-model-store.ts'
import type { Decode } from './shared-decoder.ts'
import { createStreamProgress } from './stream-progress.ts'

/** Events folded and written at once while a gap is filled or a parked stream is retried. */
const maxFoldedEvents = 10_000

/**
 * Events folded at once in a delivery: few enough for what is made of them to be gone before the next
 * collection of garbage, which copies what is still in use; and their characters, as one event of a
 * thousand postings weighs as much as hundreds.
 */
const eventsFoldedAtOnce = 250
const maxFoldedCharacters = 1_000_000

/** Documents in memory that wait to be written, but for those of one fold. */
const maxUnwrittenDocuments = 50_000

/** Feeds one build of a projection, each event exactly once in effect, whatever comes how often. */
export interface Projector {
  readonly projection: Projection
  readonly build: Build
  /**
   * Resolves when the delivery is written; one with a marker is a checkpoint. Of one that makes more
   * documents than may wait in memory, parts are written before, with their streams' progress.
   * @throws {ProjectionHalted} what was not written with progress is taken back
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
  const maxDocuments = options.maxUnwrittenDocuments ?? maxUnwrittenDocuments
  const decode: Decode = options.decode ?? ((codec, recorded) => codec.decode(recorded))
  const folder = createFolder(projection, build)
  const rate = createEventRate(now)
  const streamPrefix = `${projection.category}-`
  const streams = createStreamProgress({ build, now, onAlarm })
  await streams.startAnew()
  let skips = await readSkips(store, versionedName(projection))
  let coverage = await build.coverage()
  let halted: string | undefined
  let gapsFilled = 0
  let writesRefused = 0
  if (coverage && coverage.logId !== logId) {
    throw new ProjectionHalted(`${build.name} was built from the log ${coverage.logId}`)
  }

  /** Events selected and not folded yet. */
  let pending: Decoded<DomainEvent>[] = []
  let pendingCharacters = 0
  let unwritten = 0
  /** `coverage`, and what is folded but not written. */
  let ahead = coverage
  let furthest: Furthest | undefined

  async function select(recorded: RecordedEvent): Promise<void> {
    const { stream, revision } = recorded
    if (!stream.startsWith(streamPrefix) || streams.isParked(stream)) return
    const progress = streams.known(stream) ?? (await streams.of(stream))
    if (revision === progress + 1n) return add(recorded)
    if (revision <= progress) return
    await fillGap(stream, progress + 1n, revision)
    if (streams.isParked(stream)) return
    if ((await streams.of(stream)) !== revision - 1n) {
      throw new Error(`${stream}: the event store does not have what is before ${revision} yet`)
    }
    add(recorded)
  }

  /** One of a known type that has not its shape parks its stream, as one that cannot be folded does. */
  function add(recorded: RecordedEvent): void {
    const { stream, revision } = recorded
    if (!isSkipped(skips, recorded)) {
      try {
        const event = decode(projection.codec, recorded)
        if (isDomainEvent(event)) pending.push(event)
      } catch (error) {
        if (!(error instanceof DamagedLog)) throw error
        streams.park({ stream, revision, error })
        return
      }
    }
    pendingCharacters += recorded.data.length
    streams.reach(stream, revision)
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
      for (const recorded of page) if (!streams.isParked(stream)) add(recorded)
      if (pending.length >= maxFoldedEvents || isHeavy()) await flush()
    }
  }

  /** Folds what was selected. A stream whose fold fails is parked before the failure. */
  async function foldPending(): Promise<readonly DocumentWrite[]> {
    const { finals, failures } = await folder.fold(pending)
    for (const failure of failures.values()) streams.park(failure)
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
      ...streams.unwritten(),
      unparked: unparked.filter((stream) => !streams.isParked(stream)),
      ...(next ? { coverage: next } : {}),
    })
    writesRefused += refused.length
    if (refused.length === 0 && !streams.isFull()) folder.keep()
    else forget()
    unwritten = 0
    streams.keep()
    coverage = next ?? coverage
  }

  /** Folds and writes what never changes again; the rest waits for a checkpoint. */
  async function flushFinals(): Promise<void> {
    const finals = await foldPending()
    await build.write({ ...nothing, furthest, finals })
  }

  /**
   * What is in memory of a stream and its documents is as far as each other, or not there at all:
   * where another projector was faster, all of it is read anew.
   */
  function forget(): void {
    streams.forget()
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
    unwritten = 0
    ahead = coverage
    folder.forget()
    await build.abandon()
    await streams.startAnew()
  }

  let busy: Promise<unknown> = Promise.resolve()
  let needsNewStart = true

  /** One piece of work at a time: a retry never comes between a delivery's steps. */
  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = busy.then(async () => {
      if (halted !== undefined) throw new ProjectionHalted(halted)
      if (needsNewStart) await startAnew()
      needsNewStart = true
      const result = await work().catch(failed)
      needsNewStart = false
      return result
    })
    busy = done.catch(() => undefined)
    return done
  }

  /** Nobody may come again after a halt: what waits for progress is taken back at once. */
  async function failed(error: unknown): Promise<never> {
    if (error instanceof UnknownEvent) {
      halted = error.message
      onAlarm({ kind: 'halted', build: build.name, detail: halted })
    } else if (!(error instanceof ProjectionHalted)) throw error
    await build.abandon()
    throw halted === undefined ? error : new ProjectionHalted(halted, { cause: error })
  }

  async function applyParked(stream: string): Promise<boolean> {
    if (!streams.unpark(stream)) return true
    const from = (await streams.of(stream)) + 1n
    for await (const page of store.readStream(stream, { from })) {
      see(page)
      for (const recorded of page) {
        if (!streams.isParked(stream)) add(recorded)
        if (isHeavy()) await flush()
      }
      await flush()
      if (streams.isParked(stream)) break
    }
    await flush(undefined, [stream])
    return !streams.isParked(stream)
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
          if (folder.size() >= maxDocuments) await flush()
        }
        ahead = coverageAfter(ahead, delivery, { logId, now: timestamp(now()) })
        const isCheckpoint =
          delivery.marker !== undefined ||
          unwritten + pending.length >= eventsPerCheckpoint ||
          folder.size() >= maxDocuments
        if (!isCheckpoint) await flushFinals()
        else if (streams.hasUnwritten() || ahead !== coverage) await flush(ahead)
      }),

    retry: (stream) =>
      exclusively(async () => {
        skips = await readSkips(store, versionedName(projection))
        folder.forgive(stream)
        try {
          return await applyParked(stream)
        } catch (error) {
          if (!(error instanceof FoldSpoiled)) throw error
          await startAnew() // and this time it fails before it changes anything
          return applyParked(stream)
        }
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
      parked: streams.parkedCount(),
      isIncomplete: skips.length > 0,
      halted,
    }),
  }
}

const nothing: Changes = { finals: [], documents: [], parked: [], unparked: [], progress: [] }

const isSkipped = (skips: readonly Skip[], { stream, revision }: RecordedEvent): boolean =>
  skips.some((skip) => skip.stream === stream && BigInt(skip.revision) === revision)
