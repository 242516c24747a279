import { setTimeout as pause } from 'node:timers/promises'

/** Waits until the condition holds, looking again and again; fails after the time. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`)
    await pause(5)
  }
}

/** The error that a promise is rejected with; fails if it is not. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`rejected with ${String(error)}, which is no Error`)
  }
  throw new Error('it was expected to fail')
}
