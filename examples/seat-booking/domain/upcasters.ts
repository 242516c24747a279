import { idSchema } from '../../../events/shapes.ts'
import { compile } from '../../../platform/json-schema.ts'

/** `SeatsBooked` as it was in version 1: seats side by side in one row. */
const isBlock = compile({
  type: 'object',
  properties: {
    booking: idSchema,
    count: { type: 'integer', minimum: 1, maximum: 20 },
    first: { type: 'integer', minimum: 1, maximum: 99 },
    row: { type: 'string', pattern: '^[A-Z]$' },
  },
  required: ['booking', 'count', 'first', 'row'],
  additionalProperties: false,
} as const)

/**
 * Version 1 to 2: a block of seats becomes the list of them. What is no such block stays as it is,
 * and today's schema refuses it.
 */
export function seatsFromBlock(data: unknown): unknown {
  if (!isBlock(data)) return data
  const { booking, row, first, count } = data
  return { booking, seats: Array.from({ length: count }, (_, n) => `${row}${first + n}`) }
}
