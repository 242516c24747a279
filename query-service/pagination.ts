import { createHash } from 'node:crypto'
import { canonicalJson } from '../platform/canonical-json.ts'
import { compile, type Schema } from '../platform/json-schema.ts'
import type { KeyValue } from '../projections/projection.ts'
import type { PageKey } from '../projections/read-model-store.ts'
import { queryProblem } from './problems.ts'

export const defaultLimit = 100
export const maxLimit = 1_000

const limitSchema = {
  type: 'integer',
  minimum: 1,
  maximum: maxLimit,
  default: defaultLimit,
  description: `Items at most, up to ${maxLimit}. A page can be shorter and still have a \`next\`.`,
  problem: 'invalid-limit',
} as const satisfies Schema

const cursorSchema = {
  type: 'string',
  maxLength: 4_096,
  pattern: '^[A-Za-z0-9_-]+$',
  description: '`next` of the page before, with the same filters and order.',
  examples: ['eyJsIjoiZXZlbnRzIn0'],
  problem: 'invalid-cursor',
} as const satisfies Schema

/** Query parameters of every list. */
export const pageQuery = { limit: limitSchema, cursor: cursorSchema } as const

/** Which list a cursor belongs to: its name, and all that selects and orders what is in it. */
export interface ListIdentity {
  readonly list: string
  readonly filters: Readonly<Record<string, unknown>>
  /** What the parts of a page key are, in order. */
  readonly key: readonly ('string' | 'number')[]
}

const isCursor = compile({
  type: 'object',
  properties: {
    after: { type: 'array', items: { type: ['string', 'integer'] }, minItems: 1, maxItems: 8 },
    filters: { type: 'string' },
    list: { type: 'string' },
  },
  required: ['after', 'filters', 'list'],
  additionalProperties: false,
} as const)

/** An opaque text that names its list and filters, and holds logical keys: it survives a rebuild. */
export function writeCursor(identity: ListIdentity, after: PageKey): string {
  const { list } = identity
  const text = canonicalJson({ after: [...after], filters: filterHash(identity), list })
  return Buffer.from(text).toString('base64url')
}

const notOurs = {
  parameter: 'cursor',
  detail: 'The parameter cursor is not the `next` of a page with these filters and this order.',
} as const

/** @throws {Problem} where the cursor is made up, or of another list */
export function readCursor(
  identity: ListIdentity,
  cursor: string | undefined,
): PageKey | undefined {
  if (cursor === undefined) return undefined
  const value = parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (!isCursor(value)) throw queryProblem('invalid-cursor', notOurs)
  const { after } = value
  const fits =
    after.length === identity.key.length &&
    after.every((part: KeyValue, at) => typeof part === identity.key[at]) &&
    writeCursor(identity, after) === cursor // also what decoding forgives is not ours
  if (!fits) throw queryProblem('invalid-cursor', notOurs)
  return after
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw queryProblem('invalid-cursor', { ...notOurs, cause })
  }
}

function filterHash({ filters }: ListIdentity): string {
  const present = Object.entries(filters).filter(([, value]) => value !== undefined)
  const text = canonicalJson(Object.fromEntries(present))
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

/** The schema of a page of items. */
export const pageOf = <const S extends Schema>(items: S) =>
  ({
    type: 'object',
    properties: {
      items: { type: 'array', items },
      next: { type: 'string', description: 'Cursor of the next page; absent at the end.' },
    },
    required: ['items'],
    additionalProperties: false,
  }) as const

/** A page as JSON text, from items that are JSON text already. */
export const pageText = (items: readonly string[], next: string | undefined): string =>
  `{"items":[${items.join()}]${next === undefined ? '' : `,"next":"${next}"`}}`
