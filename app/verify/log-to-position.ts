import type { EventBatches, EventStore, Position, RecordedEvent } from '../../events/event-store.ts'

/** A log as it was when it ended at one position, whatever is appended to it meanwhile. */
export type LogToPosition = Pick<EventStore, 'readAll' | 'readStream'>

/** Positions rise along the log and along each stream, so what is past the end stands together. */
export function logToPosition(store: LogToPosition, end: Position): LogToPosition {
  return {
    readAll: (range = {}) =>
      range.direction === 'backward'
        ? limited(behind(store.readAll(withoutLimit(range)), end), range.limit)
        : upTo(store.readAll(range), end),
    readStream: (stream, range = {}) =>
      range.direction === 'backward'
        ? limited(behind(store.readStream(stream, withoutLimit(range)), end), range.limit)
        : upTo(store.readStream(stream, range), end),
  }
}

function withoutLimit<Range extends { readonly limit?: number }>({ limit, ...range }: Range) {
  return range
}

async function* upTo(batches: EventBatches, end: Position): EventBatches {
  for await (const batch of batches) {
    const past = batch.findIndex(({ position }) => position > end)
    if (past < 0) yield batch
    if (past > 0) yield batch.slice(0, past)
    if (past >= 0) return
  }
}

async function* behind(batches: EventBatches, end: Position): EventBatches {
  for await (const batch of batches) {
    const within = batch.filter(({ position }) => position <= end)
    if (within.length > 0) yield within
  }
}

async function* limited(batches: EventBatches, limit = Number.POSITIVE_INFINITY): EventBatches {
  let left = limit
  for await (const batch of batches) {
    const taken: readonly RecordedEvent[] = batch.length > left ? batch.slice(0, left) : batch
    if (taken.length > 0) yield taken
    left -= taken.length
    if (left <= 0) return
  }
}
