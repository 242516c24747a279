import { readSkips } from '../events/control.ts'
import type { EventStore } from '../events/event-store.ts'
import { skipEvent } from '../projections/skip-event.ts'
import type { ParkedStream, ProjectionStatus } from '../query-service/routes/read-routes.ts'
import type { ReadSide } from './read-side.ts'

/** An operator's decision to leave an event out of a projection, which is named without version. */
export interface SkipDecision {
  readonly projection: string
  readonly stream: string
  readonly revision: string
  readonly reason: string
  /** Who decided: `anonymous` until there is identity. */
  readonly by: string
}

/** What came of it; where the stream waits again, `parked` says at which later event. */
export interface SkipOutcome {
  readonly flows: boolean
  readonly parked?: ParkedStream
}

/** The stream waits elsewhere, or not at all: then `waitsAt` is left out. */
export interface SkipRefused {
  readonly waitsAt?: string
}

export interface SkipParkedOptions {
  readonly store: Pick<EventStore, 'append' | 'readStream'>
  readonly readSide: Pick<ReadSide, 'projections' | 'status'>
  readonly newId: () => string
  readonly now: string
}

/**
 * Puts the decision into the log, where rebuilds and verifications find it, and lets the stream flow
 * on. Only the event that a stream waits at can be skipped. Done again, it adds nothing to the log.
 */
export async function skipParked(
  { projection, stream, revision, reason, by }: SkipDecision,
  { store, readSide, newId, now }: SkipParkedOptions,
): Promise<SkipOutcome | SkipRefused> {
  const status = await statusOf(projection, readSide)
  const waiting = status?.parked.find((one) => one.stream === stream)
  if (!status || waiting?.revision !== revision) return waiting ? { waitsAt: waiting.revision } : {}
  const version = status.projection
  const isDecided = (await readSkips(store, version)).some(
    (skip) => skip.stream === stream && skip.revision === revision,
  )
  if (!isDecided) {
    await skipEvent(store, { by, projection: version, reason, revision, stream }, { newId, now })
  }
  if (await readSide.projections.retry(projection, stream)) return { flows: true }
  const parked = (await statusOf(projection, readSide))?.parked.find((one) => one.stream === stream)
  return { flows: false, ...(parked && { parked }) }
}

async function statusOf(
  projection: string,
  { status }: Pick<ReadSide, 'status'>,
): Promise<ProjectionStatus | undefined> {
  return (await status()).find((one) => nameOf(one.projection) === projection)
}

/** `accounts` of `accounts-v1`. */
export const nameOf = (versioned: string): string => versioned.replace(/-v\d+$/, '')
