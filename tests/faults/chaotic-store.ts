import { setTimeout as pause } from 'node:timers/promises'
import {
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
  WrongExpectedRevision,
} from '../../events/event-store.ts'
import type { Seeded } from '../crash/seeded.ts'

/** How often each fault comes, from 0 to 1. */
export interface Chaos {
  /** Nothing was appended, and it says so. */
  readonly unavailable: number
  /** It was not appended, or it was, and nobody knows. */
  readonly lostBefore: number
  readonly lostAfter: number
  /** Somebody else's append is refused for before it can be read. */
  readonly hidden: number
  /** Appends and reads wait up to so long. */
  readonly maxDelayMs: number
}

/**
 * A store that others write too, seen through a bad network: appends are late, lost, done and not
 * answered, and the newest events may not be readable yet. What it shows is always a beginning of
 * the stream as it is.
 */
export function chaoticStore(store: EventStore, chaos: Chaos, chance: Seeded): EventStore {
  const delay = () => pause(chance.next() * chaos.maxDelayMs)

  /** How far this side sees a stream: what it was told of by its own appends it does see. */
  const seen = new Map<string, bigint>()
  async function visible(stream: string): Promise<bigint> {
    const last = (await store.lastRevision(stream)) ?? -1n
    const known = seen.get(stream) ?? -1n
    if (chance.happens(chaos.hidden) && known < last) return known
    seen.set(stream, last)
    return last
  }
  const see = (stream: string, revision: bigint) => {
    if (revision > (seen.get(stream) ?? -1n)) seen.set(stream, revision)
  }

  return {
    ...store,
    exclusive: false,
    async append(stream, expected, events) {
      await delay()
      if (chance.happens(chaos.unavailable)) throw new EventStoreUnavailable('refused by chance')
      if (chance.happens(chaos.lostBefore)) throw new AppendOutcomeUnknown('lost on the way there')
      const late = chance.happens(chaos.lostAfter)
      const appended = await store.append(stream, expected, events).catch((error: unknown) => {
        if (late && !(error instanceof WrongExpectedRevision)) throw error
        if (late) throw new AppendOutcomeUnknown('the refusal was lost', { cause: error })
        throw error
      })
      await delay()
      if (late) throw new AppendOutcomeUnknown('lost on the way back')
      see(stream, appended.revision)
      return appended
    },
    async lastRevision(stream) {
      await delay()
      return store.lastRevision(stream) // an answer is confirmed by the leader, never by a copy
    },
    async *readStream(stream, range = {}) {
      await delay()
      const last = await visible(stream)
      for await (const events of store.readStream(stream, range)) {
        const shown = events.filter(({ revision }) => revision <= last)
        if (shown.length > 0) yield shown
      }
    },
    close: async () => {},
  }
}
