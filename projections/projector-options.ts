import type { EventStore } from '../events/event-store.ts'
import type { Clock } from '../platform/clock.ts'
import type { Projection } from './projection.ts'
import type { Build } from './read-model-store.ts'
import type { Decode } from './shared-decoder.ts'

export interface ProjectorOptions {
  readonly projection: Projection
  readonly build: Build
  /** For what the bus did not bring: gaps, parked streams, skips. */
  readonly store: Pick<EventStore, 'readStream'>
  readonly logId: string
  /** Shared by the projectors of a thread. */
  readonly decode?: Decode
  readonly now?: Clock
  /**
   * Events after which documents and progress are written; before that, only final documents. For
   * filling a build, where the same documents change again and again. Each delivery, if left out.
   */
  readonly eventsPerCheckpoint?: number
  /** Documents in memory at which they are written, be it in the middle of a delivery. */
  readonly maxUnwrittenDocuments?: number
  /** Told of what an operator should look at. */
  readonly onAlarm?: (alarm: Alarm) => void
}

export interface Alarm {
  /** A stream is parked, a gap was filled, a halt, a build of another past, one that stays on disk. */
  readonly kind: 'parked' | 'gap' | 'halted' | 'not-of-the-log' | 'not-dropped'
  readonly build: string
  readonly detail: string
}
