import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Load, LoadReport } from './load-process.ts'

/** Runs the load generator in a process of its own. */
export async function generateLoad(load: Load): Promise<LoadReport> {
  const child = fork(fileURLToPath(new URL('./load-process.ts', import.meta.url)))
  child.send(load)
  const cut = once(child, 'exit').then(() => {
    throw new Error('the load generator ended without a report')
  })
  const [report] = (await Promise.race([once(child, 'message'), cut])) as [LoadReport]
  cut.catch(() => undefined)
  if (report.failures > 0) throw new Error(`${report.failures} requests failed`)
  return report
}
