import { idSchema, timestampSchema } from '../../../events/shapes.ts'
import type { FromSchema, Schema } from '../../../platform/json-schema.ts'
import { capacitySchema, rowsSchema, seatsPerRowSchema, seatsSchema } from './shapes.ts'

/** What each command carries: the bodies of the routes are these shapes. */
export const screeningCommands = {
  OpenScreening: {
    type: 'object',
    properties: {
      capacity: capacitySchema,
      rows: rowsSchema,
      seatsPerRow: seatsPerRowSchema,
      startsAt: timestampSchema,
    },
    required: ['rows', 'seatsPerRow', 'startsAt'],
    additionalProperties: false,
  },
  BookSeats: {
    type: 'object',
    properties: { id: idSchema, seats: seatsSchema },
    required: ['seats'],
    additionalProperties: false,
  },
} as const satisfies Record<string, Schema>

type Bodies = typeof screeningCommands

export type OpenScreening = { readonly type: 'OpenScreening' } & FromSchema<Bodies['OpenScreening']>

/** A booking has its id by the time it is decided. */
export type BookSeats = { readonly type: 'BookSeats'; readonly id: string } & FromSchema<
  Bodies['BookSeats']
>

export type CancelBooking = { readonly type: 'CancelBooking'; readonly booking: string }

export type ScreeningCommand = OpenScreening | BookSeats | CancelBooking
