import { setTimeout as pause } from 'node:timers/promises'
import { compile } from '../../platform/json-schema.ts'
import type { CatchUpProgress } from '../../projections/catch-up.ts'
import type { ProjectionStatus } from '../../query-service/routes/read-routes.ts'
import { statusSchema } from '../../query-service/routes/status.ts'
import { rebuildSchema, retriedSchema } from '../admin-operations.ts'
import { loadConfig } from '../config.ts'
import { domainsModule } from '../domains.ts'
import { openFolder } from '../open-folder.ts'
import { projections } from '../projections.ts'
import { openReadSide } from '../read-side.ts'
import { askServer } from './ask-server.ts'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import { withFlags } from './setting-options.ts'
import type { Terminal } from './terminal.ts'

type Progress = Pick<CatchUpProgress, 'events' | 'position' | 'end'>

/** What operators do, on a folder that nobody serves or on a running server. */
export interface Operations {
  status(): Promise<readonly OperatedProjection[]>
  /** @throws {CommandFailed} the live build is as it was */
  rebuild(projection: string, onProgress: (progress: Progress) => void): Promise<void>
  /** Says whether the stream flows now. */
  retry(projection: string, stream: string): Promise<boolean>
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
  const config = loadConfig(withFlags({ LOG_LEVEL: 'warn', ...environment }, options))
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
      requireProjection(projection)
      const asking = new AbortController()
      const following = follow(() => calls.rebuildProgress(projection), onProgress, asking.signal)
      await calls.rebuild(projection).finally(() => asking.abort())
      await following
    },
    retry(projection, stream) {
      requireProjection(projection)
      return calls.retry(projection, stream)
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

function createServerOperations(url: string): Operations {
  return {
    async status() {
      return (await askServer(url, '/status', isStatus)).projections
    },
    async rebuild(projection, onProgress) {
      const path = `/projections/${encodeURIComponent(projection)}/rebuild`
      let rebuild = await askServer(url, path, isRebuild, 'POST')
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
      return (await askServer(url, path, isRetried, 'POST')).flows
    },
    close: async () => {},
  }
}

function requireProjection(name: string): void {
  const names = projections.map((one) => one.name)
  if (names.includes(name)) return
  throw new CommandFailed(exitCodes.usage, `There is no projection ${name}: ${names.join(', ')}.`)
}
