import type { Position, RecordedEvent } from './event-store.ts'

/** All events of this log up to `position` have been published. */
export interface Marker {
  readonly logId: string
  readonly position: Position
  /** When the log was last known to end at `position`; left out while more was at hand. */
  readonly levelAt?: string
}

/** What a consumer gets at once: events of one partition in order, then perhaps a marker. */
export interface Delivery {
  readonly events: readonly RecordedEvent[]
  readonly marker?: Marker
  /** Events before these were let go of while the group kept failing: it reads the event store first. */
  readonly hasMissed?: boolean
}

export interface Consumer {
  /** Resolves when the delivery under way has been handled or given up; no other follows. */
  stop(): Promise<void>
}

/**
 * Fans events out. A stream is always on the same partition, so its events stay in order; an event
 * may come more than once.
 */
export interface EventBus {
  /** Resolves when every partition has taken its part over. One publisher awaits each call. */
  publish(events: readonly RecordedEvent[]): Promise<void>
  /** Puts a marker on every partition, behind all that was published. */
  mark(marker: Marker): Promise<void>
  /**
   * Where to publish from after a restart: the lowest of the partitions' last markers of this log
   * that no restart can lose the events before.
   */
  lastMarker(logId: string): Promise<Position | undefined>
  /**
   * Hands the group's share of what is published from now on to `handle`, one delivery at a time
   * for each partition. It is done with a delivery when `handle` resolves; when it rejects, the
   * same delivery comes again, later, and other groups go on meanwhile, however long it lasts: the
   * group may miss what is published until then, and is told so by the delivery after it.
   */
  consume(group: string, handle: (delivery: Delivery) => Promise<void>): Promise<Consumer>
  /** Stops every consumer. What was published and not handled comes again after a restart. */
  close(): Promise<void>
}
