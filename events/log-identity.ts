import { createCodec, type EventOf } from './codec.ts'
import { type EventStore, WrongExpectedRevision } from './event-store.ts'
import { timestampSchema } from './shapes.ts'

/** The stream whose one event gives a log its identity. It is the first event of every log. */
export const identityStream = 'log-identity'

export const logEvents = {
  LogStarted: {
    version: 1,
    schema: {
      type: 'object',
      properties: {
        copiedFrom: { type: 'string', pattern: '^[0-9a-f-]{36}$' },
        logId: { type: 'string', pattern: '^[0-9a-f-]{36}$' },
        startedAt: timestampSchema,
      },
      required: ['logId', 'startedAt'],
      additionalProperties: false,
    },
  },
} as const

const codec = createCodec<EventOf<typeof logEvents>>(logEvents)

/** The log's identity: a random id in its first event, which is appended where there is none yet. */
export async function identifyLog(
  store: EventStore,
  { newId, now }: { readonly newId: () => string; readonly now: string },
): Promise<string> {
  const known = await readIdentity(store)
  if (known !== undefined) return known
  const started = { type: 'LogStarted', data: { logId: newId(), startedAt: now } } as const
  try {
    await store.append(identityStream, 'no-stream', [
      codec.encode(started, newId(), { recordedAt: now }),
    ])
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error // another process was first
  }
  const identity = await readIdentity(store)
  if (identity === undefined) throw new Error('the log has no identity after it was appended')
  return identity
}

async function readIdentity(store: EventStore): Promise<string | undefined> {
  for await (const [first] of store.readStream(identityStream, { limit: 1 })) {
    const event = first && codec.decode(first)
    if (event?.type === 'LogStarted') return event.data.logId
  }
  return undefined
}
