import type { Position, RecordedEvent } from './event-store.ts'

/** All events of this log up to `position` have been published. */
export interface Marker {
  readonly logId: string
  readonly position: Position
}

/** What a consumer gets at once: events of one partition in order, then perhaps a marker. */
export interface Delivery {
  readonly events: readonly RecordedEvent[]
  readonly marker?: Marker
}

export interface Consumer {
  /** Resolves when the delivery under way has been handled; no other follows. */
  stop(): Promise<void>
}

/**
 * Fans events out. A stream is always on the same partition, so its events stay in order; an event
 * may come more than once.
 */
export interface EventBus {
  /** Resolves when every partition has acknowledged its part. One publisher awaits each call. */
  publish(events: readonly RecordedEvent[]): Promise<void>
  /** Writes a marker to every partition, after all that was published. */
  mark(marker: Marker): Promise<void>
  /** Where to go on after a restart: the lowest of the partitions' last markers of this log. */
  lastMarker(logId: string): Promise<Position | undefined>
  /**
   * Hands the group's share of the events to `handle`, one delivery at a time for each partition.
   * Offsets are committed after it resolves; when it rejects, the delivery comes again, later.
   */
  consume(group: string, handle: (delivery: Delivery) => Promise<void>): Promise<Consumer>
  close(): Promise<void>
}
