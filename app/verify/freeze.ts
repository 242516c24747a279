import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findSqliteDamage } from '../../adapters/sqlite-integrity.ts'
import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import { copyBuild } from '../../adapters/sqlite-read-models-copy.ts'
import { isBuildOf, versionedName } from '../../projections/build-names.ts'
import type { ToFill } from '../../projections/fill-builds.ts'
import type { Projection } from '../../projections/projection.ts'
import { ReadModelsDamaged } from '../../projections/read-model-store.ts'
import type { Config } from '../config.ts'
import type { Report } from './finding.ts'

/** Copies of what the log's followers have, each of one moment; nobody writes to them. */
export interface Frozen {
  readonly builds: readonly ToFill[]
  /** Projections of which no build is live, by name and version. */
  readonly unbuilt: readonly string[]
  /** Folder of the builds. */
  readonly readModels: string
  readonly snapshots: string
}

export interface FreezeOptions {
  readonly projections: readonly Projection[]
  /** Where the copies go. */
  readonly folder: string
  readonly report: Report
}

/** Reports live builds that are damaged: they are not among the copies. */
export async function freeze(
  { dataFolder, readModelsFolder }: Config,
  { projections, folder, report }: FreezeOptions,
): Promise<Frozen> {
  const frozen = { readModels: join(folder, 'live'), snapshots: join(folder, 'snapshots') }
  copySnapshots(join(dataFolder, 'snapshots'), frozen.snapshots)
  const live = openSqliteReadModels({ folder: readModelsFolder, readOnly: true })
  const builds: ToFill[] = []
  const unbuilt: string[] = []
  try {
    for (const projection of projections) {
      const build = await live.liveBuild(projection.name)
      if (build === undefined || !isBuildOf(build, projection)) {
        unbuilt.push(versionedName(projection))
        continue
      }
      const damage = await copyWhole(build, { from: readModelsFolder, to: frozen.readModels })
      for (const detail of damage) {
        report({ check: 'integrity', at: join(readModelsFolder, `${build}.db`), detail })
      }
      if (damage.length === 0) builds.push({ projection, build })
    }
  } finally {
    await live.close()
  }
  return { builds, unbuilt, ...frozen }
}

/** A snapshot is replaced in one step, so that a copy is whole; half-written ones are not looked at. */
function copySnapshots(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  if (!existsSync(from)) return
  for (const file of readdirSync(from)) {
    if (file.endsWith('.snapshot')) copyFileSync(join(from, file), join(to, file))
  }
}

/** What is wrong with the build, a line each. A copy has the damage of its original. */
async function copyWhole(
  build: string,
  folders: { readonly from: string; readonly to: string },
): Promise<readonly string[]> {
  try {
    await copyBuild(build, folders)
  } catch (error) {
    if (!(error instanceof ReadModelsDamaged)) throw error
    return [error.message]
  }
  return findSqliteDamage(join(folders.to, `${build}.db`))
}
