import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock, timestamp } from '../../platform/clock.ts'
import { compile } from '../../platform/json-schema.ts'
import type { CatchUpProgress } from '../../projections/catch-up.ts'
import type { ProjectionStatus } from '../../query-service/routes/read-routes.ts'
import { statusSchema } from '../../query-service/routes/status.ts'
import { rebuildSchema } from '../admin-operations.ts'
import { loadConfig } from '../config.ts'
import { domainsModule } from '../domains.ts'
import { openFolder } from '../open-folder.ts'
import { retriedSchema, skippedSchema } from '../parked-operations.ts'
import { openReadSide } from '../read-side.ts'
import { nameOf, type SkipDecision, type SkipOutcome, skipParked } from '../skip-parked.ts'
import { askServer } from './ask-server.ts'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import { flagsIn } from './setting-options.ts'
import type { Terminal } from './terminal.ts'

type Progress = Pick<CatchUpProgress, 'events' | 'position' | 'end'>

/** What operators do, on a folder that nobody serves or on a running server. */
export interface Operations {
  status(): Promise<readonly OperatedProjection[]>
  /** @throws {CommandFailed} the live build is as it was */
  rebuild(projection: string, onProgress: (progress: Progress) => void): Promise<void>
  /** Says whether the stream flows now. */
  retry(projection: string, stream: string): Promise<boolean>
  /** Leaves out the event that a stream waits at. @throws {CommandFailed} where it waits elsewhere */
  skip(decision: SkipDecision): Promise<SkipOutcome>
  close(): Promise<void>
}

/** As `/status` has it: what is not known is left out. */
export type OperatedProjection = Pick<
  ProjectionStatus,
  'projection' | 'build' | 'parked' | 'isIncomplete'
> &
  Partial<ProjectionStatus>

/** How often a rebuild is asked how far it is. */
const pollMs = 200

export type OperationOptions = Readonly<Record<string, unknown>> & { readonly url?: string }

export const openOperations = (options: OperationOptions, terminal: Terminal) =>
  options.url === undefined
    ? openFolderOperations(options, terminal)
    : Promise.resolve(createServerOperations(options.url))

/** Opening brings the read models level with the log. */
async function openFolderOperations(
  options: OperationOptions,
  { environment }: Terminal,
): Promise<Operations> {
  const config = loadConfig({ LOG_LEVEL: 'error', ...environment }, { flags: flagsIn(options) })
  await using opening = new AsyncDisposableStack()
  const folder = await explainFolderInUse(config.dataFolder, () => openFolder(config))
  opening.defer(folder.close)
  const readSide = await openReadSide(config, { ...folder, domainsModule })
  opening.defer(readSide.close)
  const open = opening.move()
  const { projections: calls } = readSide
  return {
    status: readSide.status,
    async rebuild(projection, onProgress) {
      const asking = new AbortController()
      const following = follow(() => calls.rebuildProgress(projection), onProgress, asking.signal)
      await calls.rebuild(projection).finally(() => asking.abort())
      await following
    },
    retry: (projection, stream) => calls.retry(projection, stream),
    async skip(decision) {
      const { store } = folder
      const now = timestamp(systemClock())
      const outcome = await skipParked(decision, { store, readSide, newId: randomUUID, now })
      if ('flows' in outcome) return outcome
      const { stream, projection } = decision
      throw new CommandFailed(exitCodes.usage, `${stream} does not wait there in ${projection}.`)
    },
    close: () => open.disposeAsync(),
  }
}

async function follow(
  ask: () => Promise<Progress | undefined>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const progress = await ask()
    if (progress) onProgress(progress)
    await pause(pollMs, undefined, { signal }).catch(() => undefined) // aborted: it is done
  }
}

const isStatus = compile(statusSchema)
const isRebuild = compile(rebuildSchema)
const isRetried = compile(retriedSchema)
const isSkipped = compile(skippedSchema)

function createServerOperations(url: string): Operations {
  return {
    async status() {
      return (await askServer(url, '/status', isStatus)).projections
    },
    async rebuild(projection, onProgress) {
      const path = `/projections/${encodeURIComponent(projection)}/rebuild`
      let rebuild = await askServer(url, path, isRebuild, { method: 'POST' })
      while (rebuild.state === 'building') {
        await pause(pollMs)
        rebuild = await askServer(url, path, isRebuild)
        const { events, position, end } = rebuild
        if (events !== undefined && position !== undefined && end !== undefined) {
          onProgress({ events, position, end })
        }
      }
      if (rebuild.state === 'done') return
      throw new CommandFailed(exitCodes.wrong, `The rebuild ${rebuild.state}: ${rebuild.reason}`)
    },
    async retry(projection, stream) {
      const of = encodeURIComponent(stream)
      const path = `/projections/${encodeURIComponent(projection)}/parked/${of}/retry`
      return (await askServer(url, path, isRetried, { method: 'POST' })).flows
    },
    skip({ projection, stream, revision, reason }) {
      const of = encodeURIComponent(stream)
      const path = `/projections/${encodeURIComponent(projection)}/parked/${of}/skip`
      return askServer(url, path, isSkipped, { method: 'POST', body: { reason, revision } })
    },
    close: async () => {},
  }
}

/** What is known of a projection, by its name without version. @throws {CommandFailed} */
export async function requireProjection(
  name: string,
  { status }: Pick<Operations, 'status'>,
): Promise<OperatedProjection> {
  const projections = await status()
  const found = projections.find(({ projection }) => nameOf(projection) === name)
  if (found) return found
  const names = projections.map(({ projection }) => nameOf(projection)).join(', ')
  throw new CommandFailed(exitCodes.usage, `There is no projection ${name}: there are ${names}.`)
}
