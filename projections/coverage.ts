import type { Delivery } from '../events/event-bus.ts'
import { isEventMetadata } from '../events/event-metadata.ts'
import type { RecordedEvent } from '../events/event-store.ts'
import type { Coverage } from './read-model-store.ts'

/**
 * How far a delivery brings a build, never back. The log ended at an event when it was recorded, so
 * the last event's time is when the build was level, unless a marker knows better.
 */
export function coverageAfter(
  before: Coverage | undefined,
  { events, marker }: Delivery,
  { logId, now }: { readonly logId: string; readonly now: string },
): Coverage | undefined {
  const last = events.at(-1)
  let after = before
  if (last && (after === undefined || last.position > after.position)) {
    after = moved(after, { logId, position: last.position, levelAt: recordedAt(last) ?? '' }, now)
  }
  if (marker && (after === undefined || marker.position >= after.position)) {
    after = moved(after, { ...marker, levelAt: marker.levelAt ?? '' }, now)
  }
  return after
}

function moved(before: Coverage | undefined, after: Coverage, now: string): Coverage {
  const atLatest = after.levelAt < now ? after.levelAt : now // another machine's clock may be ahead
  const levelAt = before && before.levelAt > atLatest ? before.levelAt : atLatest
  return { ...after, levelAt: levelAt === '' ? epoch : levelAt }
}

const epoch = '1970-01-01T00:00:00.000Z'

/** Nothing where the metadata is not valid: its event is parked, and tells no time. */
function recordedAt({ metadata }: RecordedEvent): string | undefined {
  try {
    const parsed: unknown = JSON.parse(metadata)
    return isEventMetadata(parsed) ? parsed.recordedAt : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
