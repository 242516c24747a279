import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import type { EventStore } from '../../events/event-store.ts'
import { buildName } from '../../projections/build-names.ts'
import type { CatchUpProgress } from '../../projections/catch-up.ts'
import { fillBuilds } from '../../projections/fill-builds.ts'
import { compareBuilds } from '../../projections/verify.ts'
import type { Config } from '../config.ts'
import { projections } from '../projections.ts'
import { checkBalances } from './check-balances.ts'
import type { LedgerCheck } from './check-ledger.ts'
import type { Report } from './finding.ts'

export interface CheckReadModelsOptions {
  readonly store: EventStore
  readonly logId: string
  readonly ledgers: ReadonlyMap<string, LedgerCheck>
  readonly report: Report
  readonly onProgress: (progress: CatchUpProgress) => void
}

/**
 * Builds every read model once more from the log, in a folder of its own, and compares it with the
 * live one document by document. The live ones are level with the log, and nobody writes to them.
 */
export async function checkReadModels(
  { dataFolder, readModelsFolder }: Config,
  { store, logId, ledgers, report, onProgress }: CheckReadModelsOptions,
): Promise<void> {
  const shadowFolder = join(dataFolder, 'verify')
  const remove = () => rmSync(shadowFolder, { recursive: true, force: true })
  remove() // what a run left behind that was killed
  const shadows = openSqliteReadModels({ folder: shadowFolder })
  const live = openSqliteReadModels({ folder: readModelsFolder, readOnly: true })
  try {
    const builds = projections.map((projection) => ({
      projection,
      build: buildName(projection, 1),
    }))
    await fillBuilds(builds, { store, readModels: shadows, logId, onProgress })
    for (const { projection, build } of builds) {
      const { name, collections } = projection
      const liveName = await live.liveBuild(name)
      if (liveName === undefined) {
        report({ check: 'read-model', at: name, detail: 'no build of it is live' })
        continue
      }
      const liveBuild = await live.openBuild(liveName, collections)
      const shadow = await shadows.openBuild(build, collections)
      for await (const { of, ...sides } of compareBuilds(liveBuild, shadow, collections)) {
        const detail = `live ${sides.live ?? 'nothing'}, from the log ${sides.shadow ?? 'nothing'}`
        report({ check: 'read-model', at: `${liveName} ${of}`, detail })
      }
      if (name === 'accounts') await checkBalances(liveBuild, ledgers, report)
    }
  } finally {
    await live.close()
    await shadows.close()
    remove()
  }
}
