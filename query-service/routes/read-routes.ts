import type { EventStore } from '../../events/event-store.ts'
import type { AnswerSchema } from '../../platform/http/operation.ts'
import type { Views } from '../freshness.ts'

/** What the routes of the query service are given. */
export interface ReadRoutes {
  readonly views: Views
  readonly store: Pick<EventStore, 'readStream' | 'readAll' | 'isPosition' | 'lastRevision'>
  /** What `/status` shows of each projection. */
  readonly status: () => Promise<readonly ProjectionStatus[]> | readonly ProjectionStatus[]
}

export interface ProjectionStatus {
  /** `accounts-v1` */
  readonly projection: string
  /** `accounts-v1.2` */
  readonly build: string
  /** All of the log up to here is in it. */
  readonly position: string | undefined
  /** Time since it was level with the log. */
  readonly lagSeconds: number | undefined
  readonly parked: readonly ParkedStream[]
  /** Why it stopped for good. */
  readonly halted: string | undefined
  /** Events were left out by an operator's decision. */
  readonly isIncomplete: boolean
}

export interface ParkedStream {
  readonly stream: string
  readonly revision: string
  readonly reason: string
  readonly parkedAt: string
}

export const viewProblems = ['view-building', 'read-models-unavailable'] as const
export const freshProblems = [...viewProblems, 'view-late', 'view-parked', 'invalid-wait'] as const

export const notModified: AnswerSchema = { description: 'As the `If-None-Match` has it' }
export const ifNoneMatch = {
  'If-None-Match': {
    type: 'string',
    description: 'ETags of what is known already: 304 if so.',
  },
} as const
