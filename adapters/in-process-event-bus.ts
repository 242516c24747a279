import { setImmediate as otherWork } from 'node:timers/promises'
import type { Consumer, Delivery, EventBus, Marker } from '../events/event-bus.ts'
import type { RecordedEvent } from '../events/event-store.ts'
import { backOff } from '../platform/delay.ts'
import { openMarkerFile } from './marker-file.ts'

/**
 * What waits for one group before `publish` waits for room, or, where the group keeps failing, before
 * its queue is let go of: the others must not wait for it.
 */
const maxQueued: Load = { events: 12_000, bytes: 33_554_432 }

/**
 * What one delivery has at most, unless one publish already held more: much, as a consumer that is
 * behind writes a document once for all that changed it.
 */
const maxDelivered: Load = { events: 10_000, bytes: 16_777_216 }

/** Failures in a row after which nobody waits for a group any more. */
const failuresUntilAway = 3

/** The delays before a failed delivery comes again. */
const firstRedeliveryMs = 50
const maxRedeliveryMs = 10_000

export interface OpenInProcessEventBus {
  /** Where the last marker is kept. */
  readonly markerPath: string
  /** Told of each handler that failed and each marker that could not be kept. */
  readonly onError: (error: unknown, context: { readonly group?: string }) => void
  readonly firstRedeliveryMs?: number
}

/**
 * A bus of one partition within one thread. Taking over is queueing, in memory: a marker is kept
 * once every group has handled all before it, so what is in the queues when the process ends is
 * published again. Nothing is held for groups that come later: they begin with the event store.
 */
export function openInProcessEventBus(options: OpenInProcessEventBus): EventBus {
  const { markerPath, onError } = options
  const markers = openMarkerFile(markerPath)
  const groups = new Set<Group>()
  let isClosed = false

  /** Keeps the marker when the last of the groups that were there has handled it. */
  function keepWhenHandled(marker: Marker): () => void {
    let left = groups.size
    return () => {
      left -= 1
      if (left > 0) return
      try {
        markers.keep(marker)
      } catch (error) {
        onError(error, {})
      }
    }
  }

  return {
    async publish(events) {
      if (isClosed) throw new Error('the event bus is closed')
      if (events.length === 0) return
      await Promise.all([...groups].map((group) => group.hasRoom()))
      if (isClosed) throw new Error('the event bus is closed')
      const load = loadOf({ events })
      for (const group of groups) group.add({ events, load })
    },

    async mark(marker) {
      if (isClosed) throw new Error('the event bus is closed')
      const onHandled = keepWhenHandled(marker)
      if (groups.size === 0) onHandled()
      for (const group of groups) group.add({ events: [], load: nothing, marker, onHandled })
    },

    lastMarker: async (logId) => markers.last(logId),

    async consume(name, handle) {
      if (isClosed) throw new Error('the event bus is closed')
      const group = startGroup(name, handle, options)
      groups.add(group)
      return {
        async stop() {
          groups.delete(group)
          await group.stop()
        },
      }
    },

    async close() {
      isClosed = true
      await Promise.all([...groups].map((group) => group.stop()))
      groups.clear()
    },
  }
}

/** How much there is of some events; `bytes` counts characters of their JSON. */
interface Load {
  readonly events: number
  readonly bytes: number
}

function loadOf({ events }: Delivery): Load {
  let bytes = 0
  for (const { data, metadata } of events) bytes += data.length + metadata.length
  return { events: events.length, bytes }
}

const sum = (a: Load, b: Load): Load => ({ events: a.events + b.events, bytes: a.bytes + b.bytes })

const isMore = (load: Load, limit: Load): boolean =>
  load.events > limit.events || load.bytes > limit.bytes

const nothing: Load = { events: 0, bytes: 0 }

interface Queued extends Delivery {
  readonly load: Load
  readonly onHandled?: () => void
}

interface Group extends Consumer {
  add(next: Queued): void
  hasRoom(): Promise<void>
}

/** One group's queue and the loop that empties it, a delivery at a time. */
function startGroup(
  name: string,
  handle: (delivery: Delivery) => Promise<void>,
  options: Pick<OpenInProcessEventBus, 'onError' | 'firstRedeliveryMs'>,
): Group {
  const queue: Queued[] = []
  const stopping = new AbortController()
  const delays = {
    firstMs: options.firstRedeliveryMs ?? firstRedeliveryMs,
    longestMs: maxRedeliveryMs,
  }
  let queued = nothing
  /** It keeps failing, or handles what it missed since: nobody waits for it. */
  let isAway = false
  let hasMissed = false
  let wake: (() => void) | undefined
  let makeRoom: (() => void)[] = []

  function takeNext(): Queued[] {
    const taken: Queued[] = []
    let load = nothing
    for (const next of queue) {
      load = sum(load, next.load)
      if (taken.length > 0 && isMore(load, maxDelivered)) break
      taken.push(next)
      if (next.marker) break
    }
    queue.splice(0, taken.length)
    return taken
  }

  async function deliver(delivery: Delivery): Promise<boolean> {
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      try {
        await handle(delivery)
        isAway = hasMissed
        return true
      } catch (error) {
        options.onError(error, { group: name })
        isAway ||= attempt >= failuresUntilAway
        if (isAway) releaseWaiting()
        await backOff(delays, attempt, stopping.signal)
      }
    }
    return false
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const taken = takeNext()
      if (taken.length === 0 && !hasMissed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const delivery = hasMissed ? { ...merged(taken), hasMissed } : merged(taken)
      hasMissed = false
      if (!(await deliver(delivery))) return
      for (const { onHandled } of taken) onHandled?.()
      queued = queue.reduce((load, next) => sum(load, next.load), nothing)
      if (!isMore(queued, maxQueued)) releaseWaiting()
      await otherWork() // a long backlog must not keep timers and messages waiting
    }
  }

  /** Their markers are not kept: a later one is, when what was missed has been handled. */
  function letGo(): void {
    queue.length = 0
    queued = nothing
    hasMissed = true
  }

  function releaseWaiting(): void {
    const waiting = makeRoom
    makeRoom = []
    for (const resolve of waiting) resolve()
  }

  const running = run()
  return {
    add(next) {
      if (isAway && (hasMissed || isMore(sum(queued, next.load), maxQueued))) return letGo()
      queue.push(next)
      queued = sum(queued, next.load)
      wake?.()
    },
    async hasRoom() {
      if (!isMore(queued, maxQueued) || isAway || stopping.signal.aborted) return
      await new Promise<void>((resolve) => makeRoom.push(resolve))
    },
    async stop() {
      stopping.abort()
      wake?.()
      releaseWaiting()
      await running
    },
  }
}

function merged(taken: readonly Queued[]): Delivery {
  const [first, ...others] = taken
  const marker = taken.at(-1)?.marker
  const events: readonly RecordedEvent[] =
    others.length === 0 ? (first?.events ?? []) : taken.flatMap((one) => one.events)
  return marker ? { events, marker } : { events }
}
