import { parentPort, Worker, workerData } from 'node:worker_threads'
import { openInProcessEventBus } from '../adapters/in-process-event-bus.ts'
import { openSqliteEventReader } from '../adapters/sqlite-event-store.ts'
import { openSqliteReadModels } from '../adapters/sqlite-read-models.ts'
import type { Delivery } from '../events/event-bus.ts'
import { runRelay } from '../events/relay.ts'
import { createLog, type LogLevel } from '../platform/log.ts'
import { createProjectionMetrics } from '../platform/metrics.ts'
import { serveCalls } from '../platform/thread-calls.ts'
import type { CatchUpProgress } from '../projections/catch-up.ts'
import type { ToFill } from '../projections/fill-builds.ts'
import { fillShares, progressOfShares } from '../projections/fill-shares.ts'
import { runProjections } from '../projections/run-projections.ts'
import { importDomains } from './domain-entry.ts'
import type { FillData } from './fill-thread.ts'

/** What the thread is given. */
export interface ProjectionThreadData {
  readonly eventStorePath: string
  readonly eventChanges: SharedArrayBuffer
  readonly readModelsFolder: string
  readonly readModelChanges: SharedArrayBuffer
  readonly markerPath: string
  readonly logId: string
  readonly logLevel: LogLevel
  /** URL of the module that lists the domains. */
  readonly domainsModule: string
}

/**
 * The thread that keeps the read models: relay, bus and projectors. It reads the log and writes the
 * read models through connections of its own, so it holds up neither commands nor queries.
 */
const data = workerData as ProjectionThreadData
const { logId, readModelsFolder: folder } = data
const log = createLog(data.logLevel)
const store = openSqliteEventReader({ path: data.eventStorePath, changes: data.eventChanges })
const readModels = openSqliteReadModels({ folder, changes: data.readModelChanges })
const bus = openInProcessEventBus({
  markerPath: data.markerPath,
  onError: (error, { group }) => log.error({ error, group }, 'a delivery failed and comes again'),
})

const rebuildProgress = new Map<string, CatchUpProgress>()

const metrics = createProjectionMetrics()
const domains = await importDomains(data.domainsModule)
const running = await runProjections({
  projections: domains.flatMap(({ projections }) => projections),
  store,
  bus,
  readModels,
  logId,
  fill: fillOnThreads,
  onAlarm: (alarm) => log.warn(alarm, 'a projection needs to be looked at'),
  onHandled: measureLag,
})
const stopping = new AbortController()
const relaying = runRelay({
  store,
  bus,
  logId,
  signal: stopping.signal,
  onError: (error) => log.error({ error }, 'the relay failed and tries again'),
})

/** Filling builds from the log costs whole cores for a while: each share gets a thread. */
async function fillOnThreads(
  builds: readonly ToFill[],
  onProgress: (progress: CatchUpProgress) => void,
): Promise<void> {
  const shares = fillShares(builds)
  const report = progressOfShares(shares.length, onProgress)
  const threads = shares.map((share, index) => {
    const names = share.map(({ build }) => build)
    const workerData: FillData = { ...data, builds: names }
    const thread = new Worker(new URL('./fill-thread.ts', import.meta.url), { workerData })
    thread.on('message', (progress: CatchUpProgress) => report(index, progress))
    return { thread, names }
  })
  try {
    await Promise.all(threads.map(({ thread, names }) => untilFilled(thread, names)))
  } finally {
    for (const { thread } of threads) void thread.terminate() // where another one failed
  }
}

function untilFilled(thread: Worker, names: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`filling ${names.join(', ')} ended with ${code}`))
    })
  })
}

/** From the recording of a delivery's last event, the youngest, until now. */
function measureLag(projection: string, { events }: Delivery): void {
  const recordedAt = /"recordedAt":"([^"]+)"/.exec(events.at(-1)?.metadata ?? '')?.[1]
  if (recordedAt === undefined) return
  metrics.lag.observe({ projection }, Math.max(0, Date.now() - Date.parse(recordedAt)) / 1_000)
}

const functions = {
  async metrics(): Promise<string> {
    for (const { projection, lagSeconds } of running.states()) {
      if (lagSeconds !== undefined) metrics.behind.set({ projection }, lagSeconds)
    }
    return metrics.registry.metrics()
  },
  states: () => running.states(),
  async rebuild(projection: string) {
    try {
      await running.rebuild(projection, (progress) => rebuildProgress.set(projection, progress))
    } finally {
      rebuildProgress.delete(projection)
    }
  },
  rebuildProgress: (projection: string) => rebuildProgress.get(projection),
  retry: (projection: string, stream: string) => running.retry(projection, stream),
  async stop() {
    stopping.abort()
    await relaying
    await running.stop()
    await bus.close()
    await readModels.close()
    await store.close()
  },
}

export type ProjectionFunctions = typeof functions

if (parentPort) serveCalls(parentPort, functions)
parentPort?.postMessage('running')
