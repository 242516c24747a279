import type { EventStore, RecordedEvent } from '../../events/event-store.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import { compile, type FromSchema, type Schema } from '../../platform/json-schema.ts'
import { askServer } from './ask-server.ts'

/** An event of the log, and the line it is printed as. */
export interface ReplayedEvent {
  readonly recorded: RecordedEvent
  readonly text: string
}

export interface ReplayRange {
  readonly after?: string
  readonly stream?: string
  readonly type?: string
}

/** From a folder: `data` and `metadata` are printed byte for byte as they are stored. */
export async function* replayFolder(
  store: Pick<EventStore, 'readAll' | 'readStream'>,
  { after, stream, type }: ReplayRange,
): AsyncIterable<ReplayedEvent> {
  const batches =
    stream === undefined
      ? store.readAll(after === undefined ? {} : { after })
      : store.readStream(stream)
  for await (const batch of batches) {
    for (const recorded of batch) {
      if (type !== undefined && recorded.type !== type) continue
      if (after !== undefined && recorded.position <= after) continue
      yield { recorded, text: textOf(recorded) }
    }
  }
}

const eventSchema = {
  type: 'object',
  properties: {
    position: { type: 'string' },
    stream: { type: 'string' },
    revision: { type: 'string', pattern: '^[0-9]+$' },
    id: { type: 'string' },
    type: { type: 'string' },
    data: { type: 'object' },
    metadata: { type: 'object' },
  },
  required: ['position', 'stream', 'revision', 'id', 'type', 'data', 'metadata'],
} as const satisfies Schema

const isPage = compile({
  type: 'object',
  properties: { items: { type: 'array', items: eventSchema }, next: { type: 'string' } },
  required: ['items'],
} as const)

const pageSize = '1000'

/** From a running server, page by page; canonical JSON restores the stored text. */
export async function* replayServer(
  url: string,
  { after, stream, type }: ReplayRange,
): AsyncIterable<ReplayedEvent> {
  const query = new URLSearchParams({
    limit: pageSize,
    ...(after !== undefined && { after }),
    ...(stream !== undefined && { stream }),
    ...(type !== undefined && { type }),
  })
  for (;;) {
    const { items, next } = await askServer(url, `/events?${query}`, isPage)
    for (const item of items) yield replayed(item)
    if (next === undefined) return
    query.set('cursor', next)
  }
}

function replayed(item: FromSchema<typeof eventSchema>): ReplayedEvent {
  const recorded: RecordedEvent = {
    position: item.position,
    stream: item.stream,
    revision: BigInt(item.revision),
    id: item.id,
    type: item.type,
    data: canonicalJson(item.data),
    metadata: canonicalJson(item.metadata),
  }
  return { recorded, text: textOf(recorded) }
}

function textOf({ position, stream, revision, id, type, data, metadata }: RecordedEvent): string {
  const place = JSON.stringify({ position, stream, revision: revision.toString(), id, type })
  return `${place.slice(0, -1)},"data":${data},"metadata":${metadata}}`
}
