import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findSqliteDamage } from '../../adapters/sqlite-integrity.ts'
import { logEnd } from '../../projections/log-end.ts'
import type { Config } from '../config.ts'
import { domainsModule } from '../domains.ts'
import type { Folder } from '../open-folder.ts'
import { projections } from '../projections.ts'
import { openReadSide } from '../read-side.ts'
import { checkLog } from './check-log.ts'
import { checkReadModels } from './check-read-models.ts'
import { checkSnapshots } from './check-snapshots.ts'
import type { Finding } from './finding.ts'

/** What a verification came to. */
export interface Verification {
  readonly logId: string
  readonly events: number
  readonly ledgers: number
  readonly accounts: number
  readonly snapshots: number
  /** All of it, also what is not listed. */
  readonly findings: number
  /** The first of them, exactly. */
  readonly listed: readonly Finding[]
}

export interface Progress {
  checkingFiles(): void
  readingLog(position: string, end: string): void
  buildingShadows(position: string, end: string): void
}

/** Findings that are kept: a log that is wholly wrong must not fill the memory. */
export const maxListedFindings = 10_000

/**
 * Checks all that a folder holds against its log, and the log against the rules. It changes nothing
 * but this: read models that are behind are brought level first, as any start would.
 */
export async function verifyFolder(
  config: Config,
  { store, logId }: Folder,
  progress: Progress,
): Promise<Verification> {
  const listed: Finding[] = []
  let findings = 0
  const report = (finding: Finding): void => {
    findings += 1
    if (listed.length < maxListedFindings) listed.push(finding)
  }

  progress.checkingFiles()
  checkFile(config.eventStorePath, report)
  const end = (await logEnd(store)) ?? ''
  const { events, ledgers } = await checkLog(store, {
    report,
    projections,
    onProgress: (position) => progress.readingLog(position, end),
  })
  const snapshots = await checkSnapshots(ledgers, {
    ...{ folder: join(config.dataFolder, 'snapshots'), store, logId, report },
  })
  const notCompared = (reason: string): void => {
    const detail = `not compared, for nothing can be built from this log: ${reason}`
    report({ check: 'read-model', at: config.readModelsFolder, detail })
  }
  if (listed.some(({ check }) => check === 'readable')) {
    notCompared('it cannot be read to its end')
  } else {
    try {
      const readSide = await openReadSide(config, { store, logId, domainsModule })
      await readSide.close()
      for (const file of databasesIn(config.readModelsFolder)) checkFile(file, report)
      await checkReadModels(config, {
        ...{ store, logId, ledgers, report },
        onProgress: ({ position }) => progress.buildingShadows(position, end),
      })
    } catch (error) {
      if (findings === 0) throw error
      // What was found in the log is why.
      notCompared(error instanceof Error ? error.message : String(error))
    }
  }
  const accounts = [...ledgers.values()].reduce((sum, { state }) => sum + state.accounts.size, 0)
  return { logId, events, ledgers: ledgers.size, accounts, snapshots, findings, listed }
}

function checkFile(path: string, report: (finding: Finding) => void): void {
  for (const detail of findSqliteDamage(path)) report({ check: 'integrity', at: path, detail })
}

const databasesIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.db'))
        .map((file) => join(folder, file))
    : []
