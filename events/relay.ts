import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, systemClock, timestamp } from '../platform/clock.ts'
import { backOff } from '../platform/delay.ts'
import type { EventBus, Marker } from './event-bus.ts'
import type { EventStore, Position, RecordedEvent } from './event-store.ts'
import { logEnd } from './log-end.ts'

/** How often a marker says how far the log is. */
const markerIntervalMs = 1_000

/**
 * How long events gather after a batch. The first after a pause is published at once; while they come
 * fast, fewer and larger batches cost the projectors far less. A large one shows a backlog: no wait.
 */
const gatherMs = 5
const gatherBusyMs = 150
const busyEventsPerSecond = 5_000
const ratePeriodMs = 250
const largeBatchEvents = 1_000

/** The delays after failures in a row. */
const firstRetryMs = 50
const maxRetryMs = 10_000

export interface RelayOptions {
  readonly store: Pick<EventStore, 'subscribe' | 'readAll'>
  readonly bus: Pick<EventBus, 'publish' | 'mark' | 'lastMarker'>
  readonly logId: string
  /** Ends the relay; what it published last may come again after the next start. */
  readonly signal: AbortSignal
  /** Told of each failure that is tried again. */
  readonly onError: (error: unknown) => void
  readonly onPublished?: (events: readonly RecordedEvent[]) => void
  readonly now?: Clock
  readonly markerIntervalMs?: number
  readonly firstRetryMs?: number
}

/**
 * Publishes the whole log in order, from the bus's last marker on: an event may come twice, none is
 * skipped. Runs until the signal is aborted; failures are tried again without end.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { store, bus, logId, signal, onError, now = systemClock } = options
  const retry = createRetry(options)
  const intervalMs = options.markerIntervalMs ?? markerIntervalMs

  let after: Position | undefined
  let isPublishing = false
  let markedAtMs = now()
  let marking: Promise<void> = Promise.resolve()

  /** Level is what the log itself shows to end here: having no more at hand may mean not having read. */
  async function mark(): Promise<void> {
    if (after === undefined) return
    const place = { logId, position: after }
    const askedAtMs = now()
    markedAtMs = askedAtMs
    try {
      const isLevel = (await logEnd(store)) === place.position
      const marker: Marker = isLevel ? { ...place, levelAt: timestamp(askedAtMs) } : place
      await bus.mark(marker)
    } catch (error) {
      onError(error) // the next one says the same and more
    }
  }

  async function publish(events: readonly RecordedEvent[]): Promise<void> {
    isPublishing = true
    await marking
    await retry(() => bus.publish(events))
    if (signal.aborted) return
    after = events.at(-1)?.position ?? after
    options.onPublished?.(events)
    if (now() - markedAtMs >= intervalMs) await mark()
    isPublishing = false
  }

  let isBusy = false
  let period = { beganAtMs: now(), events: 0 }
  async function gather(published: number): Promise<void> {
    period.events += published
    const elapsedMs = now() - period.beganAtMs
    if (elapsedMs >= ratePeriodMs) {
      isBusy = period.events * 1_000 > busyEventsPerSecond * elapsedMs
      period = { beganAtMs: now(), events: 0 }
    }
    if (published >= largeBatchEvents) return
    await sleep(isBusy ? gatherBusyMs : gatherMs, undefined, { signal }).catch(() => undefined)
  }

  /** Rejects only where nothing was published, so that delays grow with failures in a row. */
  async function relayOnce(): Promise<void> {
    const begin = after
    try {
      for await (const events of store.subscribe(begin ? { after: begin, signal } : { signal })) {
        await publish(events)
        await gather(events.length)
      }
      if (!signal.aborted) throw new Error('the subscription ended by itself')
    } catch (error) {
      if (after === begin) throw error
      onError(error)
    }
  }

  await retry(async () => {
    after = await lastMarkerIn(options)
  })
  const quietMarks = setInterval(() => {
    marking = marking.then(() => (isPublishing ? undefined : mark()))
  }, intervalMs)
  try {
    while (!signal.aborted) {
      await retry(relayOnce)
    }
  } finally {
    clearInterval(quietMarks)
    await marking
  }
}

/**
 * The bus's last marker, where the log goes so far. A marker beyond its end is of a log that was longer,
 * before an older copy was restored: waiting there would leave out all that comes until then.
 */
async function lastMarkerIn({ store, bus, logId }: RelayOptions): Promise<Position | undefined> {
  const marked = await bus.lastMarker(logId)
  if (marked === undefined) return undefined
  const end = await logEnd(store)
  return end !== undefined && marked <= end ? marked : undefined
}

/** Repeats a step until it succeeds or the relay is to end, with growing, jittered delays. */
function createRetry({ signal, onError, ...options }: RelayOptions) {
  const delays = { firstMs: options.firstRetryMs ?? firstRetryMs, longestMs: maxRetryMs }
  return async (step: () => Promise<void>): Promise<void> => {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await step()
        return
      } catch (error) {
        if (signal.aborted) return
        onError(error)
        await backOff(delays, attempt, signal)
      }
    }
  }
}
