import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { sharedChanges } from '../adapters/shared-changes.ts'
import type { SqliteEventStore } from '../adapters/sqlite-event-store.ts'
import { openSqliteReadModels } from '../adapters/sqlite-read-models.ts'
import { callsTo, type Remote } from '../platform/thread-calls.ts'
import { versionedName } from '../projections/build-names.ts'
import type { Projection } from '../projections/projection.ts'
import type { ProjectorState } from '../projections/projector-state.ts'
import type { ReadModelStore } from '../projections/read-model-store.ts'
import type { ProjectionStatus } from '../query-service/routes/read-routes.ts'
import type { Config } from './config.ts'
import { importDomains } from './domain-entry.ts'
import type { ProjectionFunctions, ProjectionThreadData } from './projection-thread.ts'

/**
 * The heap of the projections' thread. It holds well below 100 MB; V8 lets the garbage beside it grow
 * by these limits, and by the machine's memory where there are none.
 */
const maxYoungGenerationSizeMb = 16
const maxOldGenerationSizeMb = 320

/** The read models, for reading here, and the thread that keeps them level with the log. */
export interface ReadSide {
  readonly readModels: ReadModelStore
  readonly projections: Remote<ProjectionFunctions>
  /** What `/status` shows: each projection, and the streams that wait in it. */
  status(): Promise<readonly ProjectionStatus[]>
  close(): Promise<void>
}

interface ReadSideOptions {
  readonly store: SqliteEventStore
  readonly logId: string
  /** URL of the module that lists the domains. */
  readonly domainsModule: string
}

/** Ready when the read models are level with the log; those that were missing have been built. */
export async function openReadSide(
  config: Config,
  { store, logId, domainsModule }: ReadSideOptions,
): Promise<ReadSide> {
  const projections = (await importDomains(domainsModule)).flatMap((domain) => domain.projections)
  const readModelChanges = sharedChanges()
  const data: ProjectionThreadData = {
    eventStorePath: config.eventStorePath,
    eventChanges: store.changes,
    readModelsFolder: config.readModelsFolder,
    readModelChanges,
    markerPath: join(config.dataFolder, 'relay-marker.json'),
    logId,
    logLevel: config.logLevel,
    domainsModule,
  }
  const thread = new Worker(new URL('./projection-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb, maxOldGenerationSizeMb },
  })
  await new Promise<void>((resolve, reject) => {
    thread.once('message', () => resolve())
    thread.once('error', reject)
  })
  thread.removeAllListeners('error') // later a failure ends the process: it must not go unseen
  const calls = callsTo<ProjectionFunctions>(thread)
  const readModels = openSqliteReadModels({
    folder: config.readModelsFolder,
    readOnly: true,
    changes: readModelChanges,
  })
  return {
    readModels,
    projections: calls,
    async status() {
      const states = await calls.states()
      return Promise.all(states.map((state) => describe(state, readModels, projections)))
    },
    async close() {
      await calls.stop()
      await thread.terminate()
      await readModels.close()
    },
  }
}

async function describe(
  { projection: name, version, build, coverage, lagSeconds, halted, isIncomplete }: ProjectorState,
  readModels: ReadModelStore,
  projections: readonly Projection[],
): Promise<ProjectionStatus> {
  const projection = projections.find((one) => one.name === name)
  const opened = await readModels.openBuild(build, projection?.collections ?? [])
  const parked = await opened.parked()
  return {
    projection: versionedName({ name, version }),
    build,
    position: coverage?.position,
    lagSeconds,
    halted,
    isIncomplete,
    parked: parked.map(({ revision, ...one }) => ({ ...one, revision: revision.toString() })),
  }
}
