/** Runs something when a time is over, unless it was cancelled before. */
export interface Deadlines {
  /** Returns its cancellation. */
  start(timeoutMs: number, expire: () => void): () => void
}

/** How late a deadline may be noticed. */
const sweepMs = 100

/**
 * Deadlines that nearly always are cancelled: one timer looks through all of them, because a timer
 * for each request costs more than reading its body. It does not keep the process alive.
 */
export function createDeadlines(): Deadlines {
  const pending = new Set<{ readonly due: number; readonly expire: () => void }>()
  let isSweeping = false
  const sweepLater = () => {
    isSweeping = true
    setTimeout(sweep, sweepMs).unref()
  }
  const sweep = () => {
    isSweeping = false
    const now = performance.now()
    for (const deadline of pending) {
      if (deadline.due > now) continue
      pending.delete(deadline)
      deadline.expire()
    }
    if (pending.size > 0) sweepLater()
  }
  return {
    start(timeoutMs, expire) {
      const deadline = { due: performance.now() + timeoutMs, expire }
      pending.add(deadline)
      if (!isSweeping) sweepLater()
      return () => pending.delete(deadline)
    },
  }
}
