import { createCodec, type EventOf } from '../../../events/codec.ts'
import { idSchema, timestampSchema } from '../../../events/shapes.ts'
import { capacitySchema, rowsSchema, seatsPerRowSchema, seatsSchema } from './shapes.ts'
import { seatsFromBlock } from './upcasters.ts'

/** Facts of one screening of a film: the stream `screening-<id>`. */
export const screeningCategory = 'screening'

export const screeningEvents = {
  ScreeningOpened: {
    version: 1,
    schema: {
      type: 'object',
      properties: {
        capacity: capacitySchema,
        rows: rowsSchema,
        seatsPerRow: seatsPerRowSchema,
        startsAt: timestampSchema,
      },
      required: ['capacity', 'rows', 'seatsPerRow', 'startsAt'],
      additionalProperties: false,
    },
  },
  SeatsBooked: {
    version: 2,
    schema: {
      type: 'object',
      properties: { booking: idSchema, seats: seatsSchema },
      required: ['booking', 'seats'],
      additionalProperties: false,
    },
    upcasters: [seatsFromBlock],
  },
  BookingCancelled: {
    version: 1,
    schema: {
      type: 'object',
      properties: { booking: idSchema, seats: seatsSchema },
      required: ['booking', 'seats'],
      additionalProperties: false,
    },
  },
} as const

export type ScreeningEvent = EventOf<typeof screeningEvents>
export const screeningCodec = createCodec<ScreeningEvent>(screeningEvents)

export type ScreeningOpened = Extract<ScreeningEvent, { type: 'ScreeningOpened' }>
