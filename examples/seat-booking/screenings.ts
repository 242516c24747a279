import type { Decoded } from '../../events/codec.ts'
import type { Collection, Projection } from '../../projections/projection.ts'
import {
  type ScreeningEvent,
  type ScreeningOpened,
  screeningCategory,
  screeningCodec,
} from './domain/events.ts'

export const screeningStream = (screening: string): string => `${screeningCategory}-${screening}`
export const bookingId = (stream: string, booking: string): string => `${stream}/${booking}`
const screeningOf = (stream: string): string => stream.slice(screeningCategory.length + 1)

/** A screening as a whole; the document's id is its stream. */
export type ScreeningDocument = ScreeningOpened['data'] & {
  readonly screening: string
  readonly booked: number
}

const screeningDocuments: Collection<ScreeningEvent, ScreeningDocument> = {
  name: 'screenings',
  isFinal: false,
  indexes: [],
  keys: () => ({}),
  idsOf: ({ stream }) => [stream],
  evolve(screening, event) {
    if (event.type === 'ScreeningOpened') {
      return { screening: screeningOf(event.stream), ...event.data, booked: 0 }
    }
    if (!screening) throw new Error(`${event.stream} was never opened`)
    const places = event.data.seats.length
    const change = event.type === 'SeatsBooked' ? places : -places
    return { ...screening, booked: screening.booked + change }
  },
}

/** A booking, also when it is cancelled. */
export type BookingDocument = {
  readonly screening: string
  readonly booking: string
  readonly status: 'booked' | 'cancelled'
  readonly seats: readonly string[]
  readonly bookedAt: string
  readonly revision: string
  readonly cancelledAt?: string
}

const bookingDocuments: Collection<ScreeningEvent, BookingDocument> = {
  name: 'bookings',
  isFinal: false,
  indexes: [
    { name: 'by-revision', fields: ['screening', 'revision'] },
    { name: 'by-status', fields: ['screening', 'status', 'revision'] },
    { name: 'by-seat', fields: ['screening', 'seat', 'revision'], manyOf: 'seat' },
  ],
  keys: ({ screening, status, seats, revision }) => ({
    ...{ screening, status, seat: seats },
    revision: Number(revision),
  }),
  idsOf: (event) =>
    event.type === 'ScreeningOpened' ? [] : [bookingId(event.stream, event.data.booking)],
  evolve(booking, event) {
    if (event.type === 'SeatsBooked') return booked(event)
    if (!booking) throw new Error(`${event.stream} has no booking to change`)
    return { ...booking, status: 'cancelled', cancelledAt: event.metadata.recordedAt }
  },
}

const booked = (event: Decoded<ScreeningEvent & { type: 'SeatsBooked' }>): BookingDocument => ({
  screening: screeningOf(event.stream),
  booking: event.data.booking,
  status: 'booked',
  seats: event.data.seats,
  bookedAt: event.metadata.recordedAt,
  revision: event.revision.toString(),
})

/** Screenings with how many places are booked, and their bookings, found by status and by seat. */
export const screenings: Projection<ScreeningEvent> = {
  name: 'screenings',
  version: 1,
  category: screeningCategory,
  codec: screeningCodec,
  collections: [screeningDocuments, bookingDocuments],
}
