import {
  bytesOf,
  type EventBatches,
  type EventStore,
  type RecordedEvent,
} from '../../events/event-store.ts'
import { type Operation, operation, raw } from '../../platform/http/operation.ts'
import type { Schema } from '../../platform/json-schema.ts'
import { maxExamined } from '../../projections/read-model-store.ts'
import { freshnessHeaders } from '../freshness.ts'
import {
  type ListIdentity,
  pageOf,
  pageQuery,
  pageText,
  readCursor,
  writeCursor,
} from '../pagination.ts'
import { directionOf, orderSchema } from '../parameters.ts'
import { queryProblem } from '../problems.ts'
import { eventSchema } from '../schemas.ts'
import type { ReadRoutes } from './read-routes.ts'

const streamSchema = {
  type: 'string',
  pattern: '^[a-z][a-z0-9]*-[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
  description: 'Name of a stream, such as `ledger-main`.',
  examples: ['ledger-main'],
  problem: 'invalid-stream',
} as const satisfies Schema

const positionSchema = {
  type: 'string',
  pattern: '^[0-9]{16,20}(-[0-9]{16,20})?$',
  examples: ['0000000000000005'],
  problem: 'invalid-position',
} as const satisfies Schema

const eventTypeSchema = {
  type: 'string',
  pattern: '^[A-Z][A-Za-z0-9]{0,63}$',
  examples: ['TransactionPosted'],
} as const satisfies Schema

const oldestFirst = { ...orderSchema, default: 'oldest' } as const

/** What the events of one page count together at most, unless a single one is larger. */
export const maxPageBytes = 4 * 1024 * 1024

const shortPages = `A page has ${maxPageBytes / 1024 / 1024} MiB of events at most, and is shorter than \`limit\` where they are large: go on with \`next\` while there is one.`

const answers = { 200: { description: 'A page of events', schema: pageOf(eventSchema) } }

/** The log itself, for auditors and analysts: from the event store, not from a read model. */
export const logQueries = ({ store }: ReadRoutes): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/events',
    id: 'listEvents',
    tag: 'log',
    summary: 'Events of the whole log',
    description: `In the order of the log, oldest first unless told. ${shortPages}`,
    query: {
      ...pageQuery,
      order: oldestFirst,
      stream: streamSchema,
      type: eventTypeSchema,
      after: { ...positionSchema, description: 'Only events past this position.' },
      before: { ...positionSchema, description: 'Only events before this position.' },
    },
    answers,
    problems: ['log-unavailable'],
    async handle({ query: { limit, cursor, ...filters } }) {
      const { order, stream, after, before } = filters
      for (const bound of [after, before]) {
        if (bound !== undefined && !store.isPosition(bound)) throw queryProblem('invalid-position')
      }
      const identity: ListIdentity = { list: 'events', filters, key: ['string'] }
      const [place] = readCursor(identity, cursor) ?? []
      const direction = directionOf(order)
      const readLog = () => {
        const start = direction === 'forward' ? after : before
        const from = place === undefined ? start : positionIn(place, store)
        return store.readAll({
          ...{ direction, limit: maxExamined },
          ...(from !== undefined && { after: from }),
        })
      }
      const readOne = (name: string) =>
        store.readStream(name, {
          ...{ direction, limit: maxExamined },
          ...(place !== undefined && { from: revisionIn(place) }),
        })
      const { found, last } = await take(stream === undefined ? readLog() : readOne(stream), {
        limit,
        isTaken: (event) => isWanted(event, filters),
        isBeyond: ({ position }) =>
          direction === 'forward'
            ? before !== undefined && position >= before
            : after !== undefined && position <= after,
      })
      const next = last && (stream === undefined ? last.position : revisionAfter(last, direction))
      const cursorText = next === undefined ? undefined : writeCursor(identity, [next])
      return raw(200, pageText(found.map(eventText), cursorText), freshnessHeaders(current))
    },
  }),

  operation({
    method: 'GET',
    path: '/streams/:stream',
    id: 'readStream',
    tag: 'log',
    summary: 'Events of one stream',
    description: `By revision, oldest first unless told. ${shortPages}`,
    params: { stream: streamSchema },
    query: { ...pageQuery, order: oldestFirst },
    answers,
    problems: ['stream-not-found', 'log-unavailable'],
    async handle({ params: { stream }, query: { limit, cursor, order } }) {
      const identity: ListIdentity = {
        list: `stream/${stream}`,
        filters: { order },
        key: ['string'],
      }
      const [place] = readCursor(identity, cursor) ?? []
      const direction = directionOf(order)
      const revision = await store.lastRevision(stream)
      if (revision === undefined) throw queryProblem('stream-not-found')
      const batches = store.readStream(stream, {
        ...{ direction, limit: limit + 1 },
        ...(place !== undefined && { from: revisionIn(place) }),
      })
      const { found, last } = await take(batches, { limit })
      const next = last && revisionAfter(last, direction)
      const cursorText = next === undefined ? undefined : writeCursor(identity, [next])
      const headers = freshnessHeaders({ ...current, revision })
      return raw(200, pageText(found.map(eventText), cursorText), headers)
    },
  }),
]

/** The log is what it is: nothing is behind it. */
const current = { revision: undefined, ageMs: 0 }

interface Filters {
  readonly type?: string
  readonly after?: string
  readonly before?: string
}

const isWanted = ({ type, position }: RecordedEvent, filters: Filters): boolean =>
  (filters.type === undefined || type === filters.type) &&
  (filters.after === undefined || position > filters.after) &&
  (filters.before === undefined || position < filters.before)

interface Taking {
  readonly limit: number
  readonly isTaken?: (event: RecordedEvent) => boolean
  /** Whether none from this event on can be taken. */
  readonly isBeyond?: (event: RecordedEvent) => boolean
}

/** Events until the page is full; `last` is the last one looked at, where there may be more. */
async function take(
  batches: EventBatches,
  { limit, isTaken = () => true, isBeyond = () => false }: Taking,
): Promise<{ readonly found: readonly RecordedEvent[]; readonly last?: RecordedEvent }> {
  const found: RecordedEvent[] = []
  let last: RecordedEvent | undefined
  let examined = 0
  let bytes = 0
  for await (const batch of batches) {
    for (const event of batch) {
      if (isBeyond(event)) return { found }
      if (last && found.length === limit) return { found, last }
      if (isTaken(event)) {
        bytes += bytesOf(event)
        if (last && found.length > 0 && bytes > maxPageBytes) return { found, last }
        found.push(event)
      }
      examined += 1
      last = event
    }
  }
  return last && examined === maxExamined ? { found, last } : { found }
}

/** Where the page after this event begins; nowhere after the first, read backward. */
function revisionAfter({ revision }: RecordedEvent, direction: string): string | undefined {
  if (direction === 'forward') return (revision + 1n).toString()
  return revision === 0n ? undefined : (revision - 1n).toString()
}

function positionIn(place: string | number, store: Pick<EventStore, 'isPosition'>): string {
  const text = String(place)
  if (!store.isPosition(text)) throw queryProblem('invalid-cursor')
  return text
}

function revisionIn(place: string | number): bigint {
  if (!/^(0|[1-9][0-9]{0,17})$/.test(String(place))) throw queryProblem('invalid-cursor')
  return BigInt(place)
}

/** `data` and `metadata` are JSON already, and stay as they are stored. */
function eventText({
  stream,
  revision,
  position,
  id,
  type,
  data,
  metadata,
}: RecordedEvent): string {
  const place = `"stream":${JSON.stringify(stream)},"revision":"${revision}"`
  const name = `"position":${JSON.stringify(position)},"id":"${id}","type":${JSON.stringify(type)}`
  return `{${place},${name},"data":${data},"metadata":${metadata}}`
}
