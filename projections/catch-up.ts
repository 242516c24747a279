import { setImmediate as otherWork } from 'node:timers/promises'
import type { EventStore, Position } from '../events/event-store.ts'
import { logEnd } from '../events/log-end.ts'
import { type Clock, systemClock, timestamp } from '../platform/clock.ts'
import { FoldSpoiled } from './fold.ts'
import type { Projector } from './projector.ts'

export interface CatchUpProgress {
  /** Events read so far, in this run. */
  readonly events: number
  readonly position: Position
  /** The log's end when the run began. */
  readonly end: Position
}

export interface CatchUpOptions {
  readonly store: Pick<EventStore, 'readAll'>
  readonly logId: string
  readonly now?: Clock
  readonly onProgress?: (progress: CatchUpProgress) => void
  /** Events handled together at most; as many as the store reads at once, if left out. */
  readonly eventsAtOnce?: number
  /** Ends the run after the write under way; the next one goes on from there. */
  readonly signal?: AbortSignal
}

/**
 * Feeds builds from the event store, in one pass for all of them, from the lowest of their positions
 * to what was the log's end. Says how many events it read.
 */
export async function catchUp(
  projectors: readonly Projector[],
  { store, logId, now = systemClock, onProgress, signal, ...limits }: CatchUpOptions,
): Promise<number> {
  const begunAt = timestamp(now())
  const logEndsAt = await logEnd(store)
  if (logEndsAt === undefined || projectors.length === 0) return 0
  const end = logEndsAt
  const { eventsAtOnce = Number.POSITIVE_INFINITY } = limits
  let read = 0

  async function readToEnd(): Promise<void> {
    const after = lowestPosition(projectors)
    for await (const events of store.readAll(after === undefined ? {} : { after })) {
      for (let from = 0; from < events.length; from += eventsAtOnce) {
        const batch = events.slice(from, from + eventsAtOnce)
        for (const projector of projectors) await projector.handle({ events: batch })
      }
      const position = events.at(-1)?.position ?? end
      read += events.length
      onProgress?.({ events: read, position, end })
      if (position >= end || signal?.aborted) return
      await otherWork()
    }
  }

  for (let isRead = false; !isRead; ) {
    isRead = await readToEnd().then(() => true, whenSpoiled)
  }
  if (signal?.aborted) return read
  const marker = { logId, position: end, levelAt: begunAt }
  for (const projector of projectors) await projector.handle({ events: [], marker })
  return read
}

/** What was not written is gone: it is read again, and the event that failed is parked this time. */
function whenSpoiled(error: unknown): false {
  if (error instanceof FoldSpoiled) return false
  throw error
}

function lowestPosition(projectors: readonly Projector[]): Position | undefined {
  let lowest: Position | undefined
  for (const projector of projectors) {
    const position = projector.state().coverage?.position
    if (position === undefined) return undefined
    if (lowest === undefined || position < lowest) lowest = position
  }
  return lowest
}
