import { createCodec, type EventOf } from './codec.ts'
import type { EventStore } from './event-store.ts'

/** What operators decided about projections, in the log like everything else. */
export const controlStream = 'control-projections'

export const controlEvents = {
  EventSkipped: {
    version: 1,
    schema: {
      type: 'object',
      properties: {
        by: { type: 'string', minLength: 1, maxLength: 256 },
        projection: {
          type: 'string',
          pattern: '^[a-z][a-z0-9-]*-v[1-9][0-9]*$',
          description: 'With its version, `accounts-v1`: another version may do better.',
        },
        reason: { type: 'string', minLength: 1, maxLength: 1024 },
        revision: { type: 'string', pattern: '^(0|[1-9][0-9]{0,18})$' },
        stream: { type: 'string', minLength: 1, maxLength: 256 },
      },
      required: ['by', 'projection', 'reason', 'revision', 'stream'],
      additionalProperties: false,
    },
  },
} as const

export const controlCodec = createCodec<EventOf<typeof controlEvents>>(controlEvents)

/** An event that a projection leaves out, whenever it is built. */
export type Skip = EventOf<typeof controlEvents>['data']

/** All skips of one version of a projection, in the order of their decision. */
export async function readSkips(
  store: Pick<EventStore, 'readStream'>,
  projection: string,
): Promise<readonly Skip[]> {
  const skips: Skip[] = []
  for await (const page of store.readStream(controlStream)) {
    for (const recorded of page) {
      const event = controlCodec.decode(recorded)
      if (event.type === 'EventSkipped' && event.data.projection === projection) {
        skips.push(event.data)
      }
    }
  }
  return skips
}
