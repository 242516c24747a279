import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findSqliteDamage } from '../../adapters/sqlite-integrity.ts'
import { logEnd } from '../../events/log-end.ts'
import { ProjectionHalted } from '../../projections/projector.ts'
import type { Config } from '../config.ts'
import type { DomainEntry } from '../domain-entry.ts'
import { type CheckedLog, checkLog } from './check-log.ts'
import { type CheckReadModelsOptions, checkReadModels } from './check-read-models.ts'
import { checkSnapshots } from './check-snapshots.ts'
import { type Frozen, freeze } from './freeze.ts'
import { type LogToPosition, logToPosition } from './log-to-position.ts'
import { openUsedIds } from './used-ids.ts'
import {
  collectFindings,
  type Findings,
  type Verification,
  type VerifyProgress,
} from './verification.ts'

export interface VerifyOptions {
  /** May be appended to meanwhile: what comes after the start is not looked at. */
  readonly store: LogToPosition
  readonly logId: string
  readonly domains: readonly DomainEntry[]
  readonly onProgress: (progress: VerifyProgress) => void
}

/** Where a verification keeps its copies and builds while it runs. */
export const verifyFolder = ({ dataFolder }: Pick<Config, 'dataFolder'>): string =>
  join(dataFolder, 'verify')

/**
 * Checks all that a folder holds against its log, and the log against the rules, as they were when
 * the log ended at one position. It works on copies, for which it needs twice the room of the read
 * models, and changes nothing: the folder may be served meanwhile.
 */
export async function verify(config: Config, options: VerifyOptions): Promise<Verification> {
  const folder = verifyFolder(config)
  const remove = () => rmSync(folder, { recursive: true, force: true })
  remove() // what a run left behind that was killed
  mkdirSync(folder)
  try {
    return await verifyIn(folder, config, options)
  } finally {
    remove()
  }
}

async function verifyIn(
  folder: string,
  config: Config,
  { store, logId, domains: entries, onProgress }: VerifyOptions,
): Promise<Verification> {
  const startedAt = performance.now()
  const services = await Promise.all(entries.map((entry) => entry.service()))
  const domains = services.map(({ domain }) => domain)
  const findings = collectFindings()
  const { report } = findings

  onProgress({ step: 'files' })
  for (const detail of findSqliteDamage(config.eventStorePath)) {
    report({ check: 'integrity', at: config.eventStorePath, detail })
  }
  const projections = entries.flatMap((entry) => entry.projections)
  const frozen = await freeze(config, { projections, folder, report })
  const end = (await logEnd(store)) ?? '' // after the copies: nothing in them is past it
  const log = logToPosition(store, end)

  const ids = await openUsedIds(domains, { folder: join(folder, 'ids'), logId })
  const checked = await checkLog(log, {
    ...{ domains, ids, report },
    onProgress: (position) => onProgress({ step: 'log', position, end }),
  }).finally(ids.close)
  const { streams, skips, events } = checked
  const snapshots = await checkSnapshots(streams, {
    ...{ folder: frozen.snapshots, domains, store: log, logId, report },
  })
  await compareReadModels(frozen, findings, {
    ...{ services, store: log, logId, streams, skips, report },
    shadows: join(folder, 'shadows'),
    onProgress: ({ position }) => onProgress({ step: 'read-models', position, end }),
    onComparing: () => onProgress({ step: 'comparison' }),
  })
  return {
    ...{ logId, position: end, events, streams: countStreams(checked), snapshots },
    ...{ unbuilt: [...frozen.unbuilt], skipped: skips.length },
    ...{ findings: findings.count(), listed: findings.listed },
    seconds: Math.round(performance.now() - startedAt) / 1_000,
  }
}

/** Where nothing can be built from the log, what was found in it is why. */
async function compareReadModels(
  frozen: Frozen,
  { count, listed, report }: Findings,
  options: CheckReadModelsOptions,
): Promise<void> {
  const notCompared = (reason: string): void => {
    const detail = `not compared, for nothing can be built from this log: ${reason}`
    report({ check: 'read-model', at: 'the read models', detail })
  }
  if (listed.some(({ check }) => check === 'readable')) {
    notCompared('it cannot be read to its end')
    return
  }
  const before = count()
  try {
    await checkReadModels(frozen, options)
  } catch (error) {
    if (before === 0 && !(error instanceof ProjectionHalted)) throw error
    notCompared(error instanceof Error ? error.message : String(error))
  }
}

function countStreams({ streams }: CheckedLog): Verification['streams'] {
  const counts: Record<string, number> = {}
  for (const { domain } of streams.values()) {
    counts[domain.category] = (counts[domain.category] ?? 0) + 1
  }
  return counts
}
