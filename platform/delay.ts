import { setTimeout } from 'node:timers/promises'

/** Waits that grow from the first to the longest, each cut by a random part so that callers spread. */
export interface Backoff {
  readonly firstMs: number
  readonly longestMs: number
}

/** Waits before the given attempt (1, 2, …), or until the signal is aborted, without an error. */
export async function backOff(
  { firstMs, longestMs }: Backoff,
  attempt: number,
  signal?: AbortSignal,
): Promise<void> {
  const fullMs = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 30))
  const waitMs = fullMs * (0.5 + Math.random() / 2)
  try {
    await setTimeout(waitMs, undefined, signal && { signal })
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}
