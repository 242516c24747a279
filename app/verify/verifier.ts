import { rm } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { Log } from '../../platform/log.ts'
import type { Config } from '../config.ts'
import type { Verification, VerifyProgress } from './verification.ts'
import { verifyFolder } from './verify.ts'
import type { VerifyMessage, VerifyThreadData } from './verify-thread.ts'

/** A verification of a server by itself, as far as it is. */
export interface VerificationRun {
  readonly verification: string
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  readonly progress?: VerifyProgress
  readonly result?: Verification
  /** Why it failed. */
  readonly reason?: string
}

/** Verifies a folder while it is served, in a thread of its own, one at a time. */
export interface Verifier {
  /** Nothing where one is running. */
  start(): VerificationRun | undefined
  /** One of the last `maxRuns`. */
  find(verification: string): VerificationRun | undefined
  /** Ends it, if it is running. */
  cancel(verification: string): Promise<void>
  close(): Promise<void>
}

/** Verifications whose results are kept. */
export const maxRuns = 4

/**
 * The heap that a verification may take: what all streams come to. Beyond it the verification fails
 * and the service goes on.
 */
const maxOldGenerationSizeMb = 2_048

export interface VerifierOptions extends Omit<VerifyThreadData, 'config'> {
  readonly newId: () => string
  readonly log: Log
}

/** Removes what a verification left behind whose process was killed. */
export async function openVerifier(
  config: Config,
  { newId, log, ...threadData }: VerifierOptions,
): Promise<Verifier> {
  await rm(verifyFolder(config), { recursive: true, force: true })
  const runs = new Map<string, VerificationRun>()
  let running:
    | { readonly id: string; readonly thread: Worker; readonly ended: Promise<void> }
    | undefined

  function update(id: string, change: Partial<VerificationRun>): void {
    const run = runs.get(id)
    if (run?.state === 'running') runs.set(id, { ...run, ...change })
  }

  function startThread(id: string): void {
    const workerData: VerifyThreadData = { config, ...threadData }
    const thread = new Worker(new URL('./verify-thread.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb },
    })
    let outcome: Partial<VerificationRun> = {
      state: 'failed',
      reason: 'it ended without a result',
    }
    thread.on('message', (message: VerifyMessage) => {
      if ('progress' in message) update(id, { progress: message.progress })
      else outcome = { state: 'done', result: message.verification }
    })
    thread.on('error', (error) => {
      outcome = { state: 'failed', reason: error instanceof Error ? error.message : String(error) }
    })
    const ended = new Promise<void>((resolve, reject) => {
      thread.once('exit', () => {
        // What a thread leaves behind that was cut short goes before another one can start.
        rm(verifyFolder(config), { recursive: true, force: true })
          .finally(() => {
            running = undefined
            update(id, outcome)
          })
          .then(resolve, reject)
      })
    })
    ended.catch((error) => log.warn({ error }, 'a verification left its copies behind'))
    running = { id, thread, ended }
  }

  async function cancel(id: string): Promise<void> {
    if (running?.id !== id) return
    const { thread, ended } = running
    update(id, { state: 'cancelled' })
    await thread.terminate()
    await ended
  }

  return {
    start() {
      if (running) return undefined
      const verification = newId()
      const [oldest] = runs.keys()
      if (runs.size >= maxRuns && oldest !== undefined) runs.delete(oldest)
      const run: VerificationRun = { verification, state: 'running' }
      runs.set(verification, run)
      startThread(verification)
      return run
    },
    find: (verification) => runs.get(verification),
    cancel,
    close: async () => running && cancel(running.id),
  }
}
