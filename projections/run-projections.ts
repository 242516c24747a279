import type { Consumer, Delivery, EventBus } from '../events/event-bus.ts'
import type { EventStore } from '../events/event-store.ts'
import { isBuildOf, nextBuildName, parseBuildName } from './build-names.ts'
import { type CatchUpProgress, catchUp } from './catch-up.ts'
import { fillBuilds, type ToFill } from './fill-builds.ts'
import { lostEventOf } from './past.ts'
import type { Projection } from './projection.ts'
import { createProjector, ProjectionHalted, type Projector } from './projector.ts'
import type { Alarm } from './projector-options.ts'
import type { ProjectorState } from './projector-state.ts'
import type { ReadModelStore } from './read-model-store.ts'
import { createSharedDecoder } from './shared-decoder.ts'
import { RebuildStuck, untilAsFar } from './until-as-far.ts'

/** How long the build that was live is kept, for requests that are reading it. */
const dropAfterMs = 60_000

/** Decoded events kept for the slowest of the projectors: half of what a bus delivers at once. */
const maxDecodedEvents = 5_000

export interface RunProjectionsOptions {
  readonly projections: readonly Projection[]
  readonly store: Pick<EventStore, 'readAll' | 'readStream'>
  readonly bus: Pick<EventBus, 'consume'>
  readonly readModels: ReadModelStore
  readonly logId: string
  readonly onAlarm?: (alarm: Alarm) => void
  /** Fills builds up to the log's end; where threads are at hand, on one of its own. */
  readonly fill?: (builds: readonly ToFill[], onProgress: OnProgress) => Promise<void>
  readonly onProgress?: OnProgress
  /** Told of each delivery that is visible now. */
  readonly onHandled?: (projection: string, delivery: Delivery) => void
  readonly dropAfterMs?: number
}

export type OnProgress = (progress: CatchUpProgress) => void

export interface RunningProjections {
  /** Of the live builds, and of those that are about to be. */
  states(): readonly ProjectorState[]
  /**
   * Builds a projection, named by itself or by a collection it holds, anew beside the live build,
   * which serves reads meanwhile, and switches. A build that was left unfinished is gone on with.
   * @throws {RebuildStuck} the new build is gone
   */
  rebuild(projection: string, onProgress?: OnProgress): Promise<void>
  /** Tries a parked stream again; says whether it flows now. */
  retry(projection: string, stream: string): Promise<boolean>
  stop(): Promise<void>
}

interface Running {
  readonly projector: Projector
  readonly consumer: Consumer
}

/**
 * Runs a projector for each projection, level with the log when this resolves. A projection without
 * a live build of its version gets one first; the live build of another version serves until then. A
 * build that has what the log does not serves no longer: nothing is live until there is another one.
 */
export async function runProjections(options: RunProjectionsOptions): Promise<RunningProjections> {
  const { projections, store, bus, readModels, logId, onAlarm, onHandled } = options
  const decode = createSharedDecoder(maxDecodedEvents)
  const running = new Map<string, Running>()
  const toldOf = new Set<string>()
  const drops = new Map<ReturnType<typeof setTimeout>, () => Promise<void>>()
  const fill = options.fill ?? fillHere

  async function fillHere(builds: readonly ToFill[], onProgress: OnProgress): Promise<void> {
    const alarm = onAlarm ? { onAlarm } : {}
    await fillBuilds(builds, { store, readModels, logId, onProgress, ...alarm })
  }

  /**
   * Consumes first and catches up then, so that nothing falls between; what the bus brings waits
   * until the build is level, or its coverage would claim what it does not have.
   */
  async function join({ projection, build: name }: ToFill): Promise<Running> {
    const build = await readModels.openBuild(name, projection.collections)
    const alarm = onAlarm ? { onAlarm } : {}
    const projector = await createProjector({ projection, build, store, logId, decode, ...alarm })
    let level: Promise<unknown> | undefined
    const becomeLevel = () => {
      level ??= catchUp([projector], { store, logId }).catch((error) => {
        level = undefined // with the next delivery it is tried again
        throw error
      })
      return level
    }
    const consumer = await bus.consume(name, async (delivery) => {
      try {
        if (delivery.hasMissed) level = undefined // what it missed is in the event store
        await becomeLevel()
        await projector.handle(delivery)
        onHandled?.(projection.name, delivery)
      } catch (error) {
        if (!(error instanceof ProjectionHalted)) throw error
        void consumer.stop() // it has said so; the others must not wait for it
      }
    })
    try {
      await becomeLevel()
    } catch (error) {
      if (!(error instanceof ProjectionHalted)) {
        await consumer.stop()
        throw error
      }
    }
    return { projector, consumer }
  }

  /** Whether a build has a past that the log does not have, which is said loudly. */
  async function isOfAnotherPast(build: string): Promise<boolean> {
    if (toldOf.has(build)) return true
    const lost = await lostEventOf(build, readModels, { store, logId })
    if (!lost) return false
    toldOf.add(build)
    const event = `${lost.stream}@${lost.revision} at position ${lost.position}`
    const detail =
      `it was built of ${event} (${lost.id}), which the log does not have: was an older copy of the ` +
      'log restored? It is not read any more, and built anew from the log'
    onAlarm?.({ kind: 'not-of-the-log', build, detail })
    return true
  }

  /** The live build, where it is of this log's past; otherwise none is live from now on. */
  async function liveBuildOf({ name }: Projection): Promise<string | undefined> {
    const live = await readModels.liveBuild(name)
    if (live === undefined || !(await isOfAnotherPast(live))) return live
    await readModels.setLiveBuild(name, undefined)
    return undefined
  }

  /** The build to fill: the one that was left unfinished, or else a new one. */
  async function unfinishedOrNew(projection: Projection, live?: string): Promise<ToFill> {
    const builds = await readModels.builds(projection.name)
    const generationOf = (build: string) => parseBuildName(build)?.generation ?? 0
    const isLater = (build: string) =>
      live === undefined || !isBuildOf(live, projection) || generationOf(build) > generationOf(live)
    const unfinished = builds
      .filter((build) => isBuildOf(build, projection) && build !== live && isLater(build))
      .sort((a, b) => generationOf(a) - generationOf(b))
    const last = unfinished.at(-1)
    const goesOn = last !== undefined && !(await isOfAnotherPast(last))
    return { projection, build: goesOn ? last : nextBuildName(projection, builds) }
  }

  async function makeLive({ projection, build }: ToFill, joined: Running): Promise<void> {
    const before = await readModels.liveBuild(projection.name)
    const old = running.get(projection.name)
    try {
      if (old) await untilAsFar(joined.projector, old.projector, readModels)
    } catch (error) {
      await joined.consumer.stop()
      if (error instanceof RebuildStuck) await drop(build)
      throw error
    }
    await readModels.setLiveBuild(projection.name, build)
    running.set(projection.name, joined)
    if (before === undefined) await dropLeftovers(projection, build)
    else if (before !== build) dropLater(before, old)
  }

  /** Nobody waits for it: what cannot be dropped is told of, and stays on disk for now. */
  async function drop(build: string): Promise<void> {
    try {
      await readModels.dropBuild(build)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      onAlarm?.({ kind: 'not-dropped', build, detail })
    }
  }

  function dropLater(build: string, old: Running | undefined): void {
    const stopAndDrop = async () => {
      drops.delete(timer)
      await old?.consumer.stop()
      await drop(build)
    }
    const timer = setTimeout(() => void stopAndDrop(), options.dropAfterMs ?? dropAfterMs)
    drops.set(timer, async () => {
      clearTimeout(timer)
      await old?.consumer.stop()
    })
  }

  /**
   * What a switch left behind when the process ended before its minute was over, and what could not
   * be gone on with.
   */
  async function dropLeftovers(projection: Projection, live: string): Promise<void> {
    const generation = parseBuildName(live)?.generation ?? 0
    for (const build of await readModels.builds(projection.name)) {
      const name = parseBuildName(build)
      const isOlder = !isBuildOf(build, projection) || (name?.generation ?? 0) < generation
      if (build !== live && isOlder) await readModels.dropBuild(build)
    }
  }

  const missing: ToFill[] = []
  for (const projection of projections) {
    const live = await liveBuildOf(projection)
    if (live !== undefined && isBuildOf(live, projection)) {
      await dropLeftovers(projection, live)
      running.set(projection.name, await join({ projection, build: live }))
    } else {
      missing.push(await unfinishedOrNew(projection, live))
    }
  }
  if (missing.length > 0) await fill(missing, options.onProgress ?? (() => {}))
  for (const one of missing) await makeLive(one, await join(one))

  const find = (name: string): Running & { readonly projection: Projection } => {
    const holds = ({ projector: { projection } }: Running) =>
      projection.name === name || projection.collections.some((one) => one.name === name)
    const found = [...running.values()].find(holds)
    if (!found) throw new Error(`no projection ${name}`)
    return { ...found, projection: found.projector.projection }
  }

  return {
    states: () => [...running.values()].map(({ projector }) => projector.state()),

    async rebuild(name, onProgress = () => {}) {
      const { projection, projector } = find(name)
      const toFill = await unfinishedOrNew(projection, projector.build.name)
      await fill([toFill], onProgress)
      await makeLive(toFill, await join(toFill))
    },

    retry: (name, stream) => find(name).projector.retry(stream),

    async stop() {
      await Promise.all([...drops.values()].map((cancel) => cancel()))
      await Promise.all([...running.values()].map(({ consumer }) => consumer.stop()))
    },
  }
}
