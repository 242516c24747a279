import { controlCodec, controlStream, type Skip } from '../events/control.ts'
import type { EventStore } from '../events/event-store.ts'

/**
 * Puts an operator's decision into the log: this version of the projection leaves the event out,
 * now and whenever it is built. The parked stream is to be retried afterwards.
 */
export async function skipEvent(
  store: Pick<EventStore, 'append'>,
  skip: Skip,
  { newId, now }: { readonly newId: () => string; readonly now: string },
): Promise<void> {
  const event = { type: 'EventSkipped', data: skip } as const
  await store.append(controlStream, 'any', [
    controlCodec.encode(event, newId(), { recordedAt: now }),
  ])
}
