import { setTimeout as pause } from 'node:timers/promises'
import { compile } from '../../platform/json-schema.ts'
import type { Verification, VerifyProgress } from '../verify/verification.ts'
import { verificationRunSchema } from '../verify/verification-operations.ts'
import { askServer } from './ask-server.ts'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'

const isRun = compile(verificationRunSchema)

/** How often the server is asked how far it is. */
const pollMs = 200

export interface VerifyOnServer {
  readonly onProgress: (progress: VerifyProgress) => void
  /** Ends the verification on the server too. */
  readonly stop: AbortSignal
}

/** Has a running server verify itself. @throws {CommandFailed} also where it could not be finished */
export async function verifyOnServer(
  url: string,
  { onProgress, stop }: VerifyOnServer,
): Promise<Verification> {
  let run = await askServer(url, '/verifications', isRun, { method: 'POST' })
  const path = `/verifications/${encodeURIComponent(run.verification)}`
  while (run.state === 'running') {
    await pause(pollMs, undefined, { signal: stop }).catch(() => undefined) // aborted: see below
    run = await askServer(url, path, isRun, { method: stop.aborted ? 'DELETE' : 'GET' })
    const { step, position, end } = run
    if (step) onProgress({ step, ...(position && { position }), ...(end && { end }) })
  }
  if (run.result) return run.result
  if (run.state === 'cancelled') {
    throw new CommandFailed(exitCodes.interrupted, 'The verification was ended before its end.')
  }
  throw new CommandFailed(
    exitCodes.unavailable,
    `The server could not verify itself: ${run.reason ?? run.state}.`,
  )
}
