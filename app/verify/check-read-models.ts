import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import { readSkips, type Skip } from '../../events/control.ts'
import { buildName, versionedName } from '../../projections/build-names.ts'
import type { CatchUpProgress } from '../../projections/catch-up.ts'
import { fillBuilds, type ToFill } from '../../projections/fill-builds.ts'
import { lostEventOf } from '../../projections/past.ts'
import { createProjector } from '../../projections/projector.ts'
import type { Build, Parked, ReadModelStore } from '../../projections/read-model-store.ts'
import { compareBuilds } from '../../projections/verify.ts'
import type { DomainService } from '../domain-entry.ts'
import type { CheckedStream } from './check-stream.ts'
import type { Report } from './finding.ts'
import type { Frozen } from './freeze.ts'
import type { LogToPosition } from './log-to-position.ts'

/** A build that is level with the log, and what the log makes of the streams that it shows whole. */
export interface DocumentsToCheck<State> {
  readonly projection: string
  readonly build: Pick<Build, 'name' | 'find'>
  readonly states: ReadonlyMap<string, State>
  readonly report: Report
}

export interface CheckReadModelsOptions {
  readonly services: readonly DomainService[]
  readonly store: LogToPosition
  readonly logId: string
  readonly streams: ReadonlyMap<string, CheckedStream>
  readonly skips: readonly Skip[]
  /** Folder for the builds to compare with. */
  readonly shadows: string
  readonly report: Report
  readonly onProgress: (progress: CatchUpProgress) => void
  readonly onComparing: () => void
}

/**
 * Brings the copies of the live builds level with the log, builds each of them once more from the
 * log's start, and compares document by document.
 */
export async function checkReadModels(
  { builds: copies, readModels }: Frozen,
  options: CheckReadModelsOptions,
): Promise<void> {
  const { services, store, logId, onProgress, report } = options
  const live = openSqliteReadModels({ folder: readModels })
  const shadows = openSqliteReadModels({ folder: options.shadows })
  try {
    const builds: ToFill[] = []
    for (const one of copies) if (await isOfThisPast(one, live, options)) builds.push(one)
    for (const one of builds) await obeySkips(one, { store, logId, readModels: live })
    await fillBuilds(builds, { store, readModels: live, logId })
    const toFill = builds.map(({ projection }) => ({ projection, build: buildName(projection, 1) }))
    await fillBuilds(toFill, { store, readModels: shadows, logId, onProgress })
    options.onComparing()
    for (const { projection, build: name } of builds) {
      const { collections } = projection
      const build = await live.openBuild(name, collections)
      const shadow = await shadows.openBuild(buildName(projection, 1), collections)
      for await (const { of, ...sides } of compareBuilds(build, shadow, collections)) {
        const detail = `live ${sides.live ?? 'nothing'}, from the log ${sides.shadow ?? 'nothing'}`
        report({ check: 'read-model', at: `${name} ${of}`, detail })
      }
      const parked = await build.parked()
      for (const { stream, revision, reason } of parked) {
        const detail = `${stream} waits at revision ${revision}: ${reason}`
        report({ check: 'parked', at: name, detail })
      }
      const service = services.find(({ domain }) => domain.category === projection.category)
      const states = wholeStates(projection, parked, options)
      await service?.checkDocuments?.({ projection: projection.name, build, states, report })
    }
  } finally {
    await live.close()
    await shadows.close()
  }
}

/** What is of another past cannot be brought level, and every document of it would differ. */
async function isOfThisPast(
  { build }: ToFill,
  readModels: ReadModelStore,
  { store, logId, report }: CheckReadModelsOptions,
): Promise<boolean> {
  const lost = await lostEventOf(build, readModels, { store, logId })
  if (!lost) return true
  const detail =
    `built of ${lost.stream}@${lost.revision} (${lost.id}), which the log does not have: an older ` +
    'copy of it was restored. The next start builds another one'
  report({ check: 'read-model', at: build, detail })
  return false
}

/** What an operator decided is done in the copy too, where only the retry was still to come. */
async function obeySkips(
  { projection, build: name }: ToFill,
  options: {
    readonly store: LogToPosition
    readonly logId: string
    readonly readModels: ReadModelStore
  },
): Promise<void> {
  const { store, logId, readModels } = options
  const build = await readModels.openBuild(name, projection.collections)
  const skips = await readSkips(store, versionedName(projection))
  const decided = (await build.parked()).filter(({ stream, revision }) =>
    skips.some((skip) => skip.stream === stream && BigInt(skip.revision) === revision),
  )
  if (decided.length === 0) return
  const projector = await createProjector({ projection, build, store, logId })
  for (const { stream } of decided) await projector.retry(stream)
}

/** Streams that wait, or that something was left out of, are not shown whole. */
function wholeStates(
  projection: ToFill['projection'],
  parked: readonly Parked[],
  { streams, skips }: Pick<CheckReadModelsOptions, 'streams' | 'skips'>,
): ReadonlyMap<string, unknown> {
  const left = skips.filter((skip) => skip.projection === versionedName(projection))
  const notWhole = new Set([...parked, ...left].map(({ stream }) => stream))
  const states = new Map<string, unknown>()
  for (const [stream, { domain, state }] of streams) {
    if (domain.category === projection.category && !notWhole.has(stream)) states.set(stream, state)
  }
  return states
}
