import { DamagedLog, type EventStore, type RecordedEvent } from '../events/event-store.ts'
import type { Furthest, ReadModelStore } from './read-model-store.ts'

interface Log {
  readonly store: Pick<EventStore, 'readStream'>
  readonly logId: string
}

/**
 * The event a build is of that its log does not have: an older copy of the log was restored beside
 * it, and may have grown since. Such a build would take new events for repeats of what it knows.
 */
export async function lostEventOf(
  build: string,
  readModels: Pick<ReadModelStore, 'furthest'>,
  { store, logId }: Log,
): Promise<Furthest | undefined> {
  const furthest = await readModels.furthest(build)
  if (!furthest || furthest.logId !== logId) return undefined // projectors refuse those of other logs
  return (await hasEvent(store, furthest)) ? undefined : furthest
}

/** A place that cannot be read counts as it was: from such a log nothing could be built anew. */
async function hasEvent(
  store: Log['store'],
  { stream, revision, position, id }: Furthest,
): Promise<boolean> {
  try {
    for await (const [event] of store.readStream(stream, { from: revision, limit: 1 })) {
      return event?.id === id && event.position === position
    }
    return false
  } catch (error) {
    if (error instanceof DamagedLog) return true
    throw error
  }
}

/** The furthest of these events and the one before. */
export function furthestOf(
  events: readonly RecordedEvent[],
  logId: string,
  before: Furthest | undefined,
): Furthest | undefined {
  let last: RecordedEvent | undefined
  for (const event of events) if (!last || event.position > last.position) last = event
  if (!last || (before && before.position >= last.position)) return before
  const { stream, revision, position, id } = last
  return { logId, stream, revision, position, id }
}
