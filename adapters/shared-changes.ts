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
