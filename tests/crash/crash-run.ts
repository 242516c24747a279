import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { checkLog } from './check-log.ts'
import { checkReadModels, checkShadow } from './check-read-models.ts'
import { type Logged, readLog } from './logged.ts'
import { type Seeded, seeded } from './seeded.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { createWorkload, type Workload } from './workload.ts'

/** When the process is killed. */
export type Moment = 'under load' | 'starting' | 'rebuilding' | 'stopping'

export interface Kill {
  readonly moment: Moment
  readonly afterMs: number
  /** From the next start until it served again. */
  readonly recoveryMs: number
}

export interface CrashReport {
  readonly seed: number
  readonly kills: readonly Kill[]
  readonly commands: number
  readonly events: number
  /** Empty where all invariants hold. */
  readonly problems: readonly string[]
}

const clients = 6

/** The longest a load, a rebuild and a stop go on before the kill. */
const maxLoadMs = 350
const maxRebuildMs = 250
const maxStopMs = 120

/**
 * Kills the server of one folder again and again, starts it anew each time, repeats what nobody knows
 * and compares everything with what clients were told. It ends at the first difference.
 */
export async function crashRun(
  folder: string,
  { seed, kills }: { readonly seed: number; readonly kills: number },
): Promise<CrashReport> {
  const chance = seeded(seed)
  const workload = createWorkload(chance)
  const done: Kill[] = []
  let log: readonly Logged[] = []
  let problems: readonly string[] = []
  let server = await startServer(folder).serving
  try {
    await workload.setUp(server.url)
    while (done.length < kills && problems.length === 0) {
      const kill = await killOnce(server, folder, workload, chance)
      server = await startServer(folder).serving
      done.push({ ...kill, recoveryMs: server.startMs })
      await workload.settle(server.url)
      const before = log
      log = await readLog(join(folder, 'events.db'))
      problems = [
        ...checkLog(log, workload.history, before),
        ...(await checkReadModels(join(folder, 'read-models'), log)),
      ]
    }
  } finally {
    server.signal('SIGTERM')
    const how = await server.ended
    if (how !== 0) problems = [...problems, `the last stop ended with ${how}: ${server.log()}`]
  }
  if (problems.length === 0) {
    const live = { eventStorePath: join(folder, 'events.db'), folder: join(folder, 'read-models') }
    problems = await checkShadow(live, join(folder, 'shadow'))
  }
  const commands = workload.history.sent.length
  return { seed, kills: done, commands, events: log.length, problems }
}

async function killOnce(
  server: ServerProcess,
  folder: string,
  workload: Workload,
  { next, happens, pick }: Seeded,
): Promise<Omit<Kill, 'recoveryMs'>> {
  const moment: Moment = happens(0.55) ? 'under load' : pick(['starting', 'rebuilding', 'stopping'])
  const stopping = new AbortController()
  const loading = workload.run(server.url, { clients, signal: stopping.signal })
  const loadMs = next() * maxLoadMs
  await pause(loadMs)
  let afterMs = loadMs
  if (moment === 'rebuilding') {
    server.rebuild(pick(['accounts', 'ledgers', 'transactions']))
    afterMs = next() * maxRebuildMs
    await pause(afterMs)
  }
  if (moment === 'stopping') {
    server.signal('SIGTERM')
    afterMs = next() * maxStopMs
    await pause(afterMs)
  }
  server.signal('SIGKILL')
  await server.ended
  stopping.abort()
  await loading
  if (moment === 'starting') {
    const starting = startServer(folder)
    afterMs = next() * server.startMs
    await pause(afterMs)
    starting.child.kill('SIGKILL')
    await new Promise((resolve) => starting.child.once('exit', resolve))
  }
  return { moment, afterMs: Math.round(afterMs) }
}
