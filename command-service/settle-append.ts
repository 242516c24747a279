import {
  type Appended,
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
  type ExpectedRevision,
  type NewEvent,
} from '../events/event-store.ts'
import { backOff } from '../platform/delay.ts'

const betweenTries = { firstMs: 20, longestMs: 2_000 }

/**
 * Appends, and repeats the identical append for as long as its outcome is unknown: the same ids,
 * bytes and expected revision. What it returns or throws is certain; only an aborted signal ends it
 * without an answer.
 * @throws {WrongExpectedRevision} nothing was appended
 * @throws {EventStoreUnavailable} nothing was appended
 * @throws {AppendOutcomeUnknown} the signal was aborted
 */
export async function settleAppend(
  store: EventStore,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
  signal: AbortSignal,
): Promise<Appended> {
  let isUnknown = false
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await store.append(stream, expected, events)
    } catch (error) {
      isUnknown ||= error instanceof AppendOutcomeUnknown
      const mayHaveHappened = isUnknown && isPassing(error)
      if (!mayHaveHappened) throw error
      if (signal.aborted) throw new AppendOutcomeUnknown('stopped while settling', { cause: error })
    }
    await backOff(betweenTries, attempt, signal)
  }
}

/** After an unknown outcome even "nothing was appended" speaks of the last try alone. */
const isPassing = (error: unknown): boolean =>
  error instanceof AppendOutcomeUnknown || error instanceof EventStoreUnavailable
