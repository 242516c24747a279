import type { Schema } from '../../../platform/json-schema.ts'

/** The smallest shapes of seat booking, quoted by events, commands and the API's description. */

export const screeningIdSchema = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'Lower-case letters, digits and `-`, at most 63 characters.',
  problem: 'invalid-screening-id',
} as const satisfies Schema

export const rowsSchema = {
  type: 'integer',
  minimum: 1,
  maximum: 26,
  description: 'Rows of the hall, named from `A` on.',
  problem: 'invalid-hall',
} as const satisfies Schema

export const seatsPerRowSchema = {
  type: 'integer',
  minimum: 1,
  maximum: 99,
  problem: 'invalid-hall',
} as const satisfies Schema

export const capacitySchema = {
  type: 'integer',
  minimum: 1,
  maximum: 26 * 99,
  description: 'People that are let in at most, however many seats there are.',
  problem: 'invalid-hall',
} as const satisfies Schema

export const seatSchema = {
  type: 'string',
  pattern: '^[A-Z][1-9][0-9]?$',
  description: 'Its row and its number in it: `C7`.',
  problem: 'invalid-seat',
} as const satisfies Schema

export const seatsSchema = {
  type: 'array',
  items: seatSchema,
  minItems: 1,
  maxItems: 20,
  uniqueItems: true,
  problem: 'invalid-seats',
} as const satisfies Schema
