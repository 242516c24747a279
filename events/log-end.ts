import type { EventStore, Position } from './event-store.ts'

/** The position of the log's last event; `undefined` where it is empty. */
export async function logEnd(store: Pick<EventStore, 'readAll'>): Promise<Position | undefined> {
  for await (const [last] of store.readAll({ direction: 'backward', limit: 1 })) {
    return last?.position
  }
  return undefined
}
