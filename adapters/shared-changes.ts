/**
 * Memory that threads share, to count changes in: how many have ended, and how many have begun.
 * Whoever waits is woken by the first; the second says that what can be read may be changing.
 */
export const sharedChanges = (): SharedArrayBuffer => new SharedArrayBuffer(8)

const [ended, begun] = [0, 1]

/** Runs what makes a change, also where it fails in the middle: some of it may be visible. */
export function countChange<T>(counter: Int32Array, work: () => T): T {
  Atomics.add(counter, begun, 1)
  try {
    return work()
  } finally {
    Atomics.add(counter, ended, 1)
    Atomics.notify(counter, ended)
  }
}

/** How many changes there were; `undefined` while one is under way. */
export function changeCount(counter: Int32Array): number | undefined {
  const count = Atomics.load(counter, ended) // first: one that begins in between is then noticed
  return Atomics.load(counter, begun) === count ? count : undefined
}

/**
 * Waits until a counter in memory that threads share is no longer `seen`, the time is over, or the
 * signal is aborted. The counter is raised with `Atomics.add` and `Atomics.notify`.
 */
export async function waitForChange(
  counter: Int32Array,
  seen: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted) return
  const wait = Atomics.waitAsync(counter, 0, seen, timeoutMs)
  if (!wait.async) return
  if (!signal) {
    await wait.value
    return
  }
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>()
  const onAbort = () => abort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([wait.value, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
