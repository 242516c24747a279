import type { Schema } from '../platform/json-schema.ts'
import { queryProblem } from './problems.ts'

/** Parameters that several reads have. */

export const revisionSchema = {
  type: 'string',
  pattern: '^(0|[1-9][0-9]{0,17})$',
  description: 'A revision of the stream: a whole number from 0 on.',
  examples: ['3'],
  problem: 'invalid-revision',
} as const satisfies Schema

export const freshQuery = {
  'min-revision': {
    ...revisionSchema,
    description:
      'Waits until the view shows this revision of the stream, as long as `Prefer: wait=S` says.',
  },
} as const

export const freshHeaders = {
  Prefer: {
    type: 'string',
    description: '`wait=S`: seconds to wait for `min-revision`, 2 unless told, at most 30.',
    examples: ['wait=2'],
    problem: 'invalid-wait',
  },
} as const

export const orderSchema = {
  type: 'string',
  enum: ['newest', 'oldest'],
  default: 'newest',
  description: 'Which come first.',
} as const satisfies Schema

export type Order = (typeof orderSchema.enum)[number]

export const directionOf = (order: string): 'forward' | 'backward' =>
  order === 'oldest' ? 'forward' : 'backward'

/** Text that sorts before or after what it is compared with: a day, or a time. */
export const timeBoundSchema = {
  type: 'string',
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z)?$',
  description: 'A day (`2026-01-31`) or a time (`2026-01-31T09:30:00.000Z`), UTC.',
  examples: ['2026-01-31'],
  problem: 'invalid-time',
} as const satisfies Schema

export const prefixSchema = {
  type: 'string',
  maxLength: 256,
  pattern: '^[A-Za-z0-9_:-]*$',
  description: 'What the address begins with.',
  examples: ['customers:'],
  problem: 'invalid-account-id',
} as const satisfies Schema

export const metadataFilterSchema = {
  type: 'string',
  maxLength: 1024,
  problem: 'invalid-metadata',
} as const satisfies Schema

/** Metadata filters that one query can combine: one by the index, one on what it finds. */
export const maxMetadataFilters = 2

/** The filters as `k=v`. @throws {Problem} where there are too many */
export function tagsIn(metadata: Readonly<Record<string, string>> | undefined): readonly string[] {
  const tags = Object.entries(metadata ?? {}).map(([key, value]) => `${key}=${value}`)
  if (tags.length > maxMetadataFilters) throw queryProblem('too-many-filters')
  return tags
}
