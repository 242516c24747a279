import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteEventReader } from '../adapters/sqlite-event-store.ts'
import { openSqliteReadModels } from '../adapters/sqlite-read-models.ts'
import { isBuildOf } from '../projections/build-names.ts'
import { fillBuilds } from '../projections/fill-builds.ts'
import { importDomains } from './domain-entry.ts'
import type { ProjectionThreadData } from './projection-thread.ts'

export interface FillData extends ProjectionThreadData {
  /** Names of the builds to bring to the log's end. */
  readonly builds: readonly string[]
}

const data = workerData as FillData
const store = openSqliteEventReader({ path: data.eventStorePath, changes: data.eventChanges })
const readModels = openSqliteReadModels({
  folder: data.readModelsFolder,
  changes: data.readModelChanges,
})

const domains = await importDomains(data.domainsModule)
const projections = domains.flatMap((domain) => domain.projections)
const toFill = data.builds.map((build) => {
  const projection = projections.find((one) => isBuildOf(build, one))
  if (!projection) throw new Error(`${build} is of no projection of this program`)
  return { projection, build }
})

await fillBuilds(toFill, {
  store,
  readModels,
  logId: data.logId,
  onProgress: (progress) => parentPort?.postMessage(progress),
})
await readModels.close()
await store.close()
