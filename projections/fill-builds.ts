import type { EventStore } from '../events/event-store.ts'
import { type CatchUpProgress, catchUp } from './catch-up.ts'
import type { Projection } from './projection.ts'
import { createProjector } from './projector.ts'
import type { Alarm } from './projector-options.ts'
import type { ReadModelStore } from './read-model-store.ts'
import { createSharedDecoder } from './shared-decoder.ts'

/** A build to fill: its projection and its name. */
export interface ToFill {
  readonly projection: Projection
  readonly build: string
}

export interface FillOptions {
  readonly store: Pick<EventStore, 'readAll' | 'readStream'>
  readonly readModels: Pick<ReadModelStore, 'openBuild'>
  readonly logId: string
  readonly onProgress?: (progress: CatchUpProgress) => void
  readonly onAlarm?: (alarm: Alarm) => void
  readonly signal?: AbortSignal
}

/** Events between two checkpoints: what is done again after a kill. */
const eventsPerCheckpoint = 200_000

/**
 * Events handled together: few enough for what is made of them to be gone before the next collection
 * of garbage, which copies what is still in use.
 */
const eventsAtOnce = 200

/**
 * Brings builds from wherever they are to the log's end, in one pass over the log, with indexes made
 * at the end. Killed in the middle, it goes on from its last write. A thread of its own may do it:
 * nobody else writes to these builds meanwhile. Says whether it came to the end.
 */
export async function fillBuilds(
  builds: readonly ToFill[],
  { store, readModels, logId, onProgress, onAlarm, signal }: FillOptions,
): Promise<boolean> {
  const decode = createSharedDecoder(eventsAtOnce)
  const projectors = await Promise.all(
    builds.map(async ({ projection, build: name }) => {
      const build = await readModels.openBuild(name, projection.collections, { deferIndexes: true })
      const alarm = onAlarm ? { onAlarm } : {}
      return createProjector({
        ...{ projection, build, store, logId, eventsPerCheckpoint },
        ...(builds.length > 1 ? { decode } : {}),
        ...alarm,
      })
    }),
  )
  const options = { store, logId, eventsAtOnce, ...(onProgress ? { onProgress } : {}) }
  await catchUp(projectors, signal ? { ...options, signal } : options)
  if (signal?.aborted) return false
  for (const { build } of projectors) await build.completeIndexes()
  return true
}
