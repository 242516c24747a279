import { idSchema, timestampSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import type { Schema } from '../../platform/json-schema.ts'
import { freshnessHeaders } from '../../query-service/freshness.ts'
import { type ListIdentity, pageOf, pageQuery, readCursor } from '../../query-service/pagination.ts'
import {
  directionOf,
  freshHeaders,
  freshQuery,
  orderSchema,
  revisionSchema,
} from '../../query-service/parameters.ts'
import { documentAnswer, pageAnswer } from '../../query-service/respond.ts'
import {
  freshProblems,
  ifNoneMatch,
  notModified,
  type ReadRoutes,
} from '../../query-service/routes/read-routes.ts'
import { screeningEvents } from './domain/events.ts'
import { screeningIdSchema, seatSchema, seatsSchema } from './domain/shapes.ts'
import { screeningProblem } from './problems.ts'
import { bookingId, screeningStream, screenings } from './screenings.ts'

const opened = screeningEvents.ScreeningOpened.schema
const statusSchema = { type: 'string', enum: ['booked', 'cancelled'] } as const

const screeningSchema = {
  type: 'object',
  properties: { screening: screeningIdSchema, ...opened.properties, booked: { type: 'integer' } },
  required: ['screening', ...opened.required, 'booked'],
  additionalProperties: false,
} as const satisfies Schema

const bookingSchema = {
  type: 'object',
  properties: {
    screening: screeningIdSchema,
    booking: idSchema,
    status: statusSchema,
    seats: seatsSchema,
    bookedAt: timestampSchema,
    revision: { ...revisionSchema, description: 'Of the event that made the booking.' },
    cancelledAt: timestampSchema,
  },
  required: ['screening', 'booking', 'status', 'seats', 'bookedAt', 'revision'],
  additionalProperties: false,
} as const satisfies Schema

const document = {
  method: 'GET',
  tag: 'screenings',
  query: freshQuery,
  headers: { ...freshHeaders, ...ifNoneMatch },
} as const

export const screeningQueryOperations = ({ views }: ReadRoutes): readonly Operation[] => [
  operation({
    ...document,
    path: '/screenings/:screening',
    id: 'getScreening',
    summary: 'One screening',
    params: { screening: screeningIdSchema },
    answers: { 200: { description: 'The screening', schema: screeningSchema }, 304: notModified },
    problems: [...freshProblems, 'screening-not-found'],
    async handle({ params, query, request }) {
      const stream = screeningStream(params.screening)
      const minRevision = query['min-revision']
      const view = await views.ofStream(screenings, stream, { minRevision, request })
      const [found] = await view.build.get('screenings', [stream])
      if (found) return documentAnswer(view, found, request)
      throw screeningProblem('screening-not-found', { headers: freshnessHeaders(view) })
    },
  }),

  operation({
    ...document,
    path: '/screenings/:screening/bookings/:booking',
    id: 'getBooking',
    summary: 'One booking',
    params: { screening: screeningIdSchema, booking: idSchema },
    answers: { 200: { description: 'The booking', schema: bookingSchema }, 304: notModified },
    problems: [...freshProblems, 'booking-not-found'],
    async handle({ params, query, request }) {
      const stream = screeningStream(params.screening)
      const minRevision = query['min-revision']
      const view = await views.ofStream(screenings, stream, { minRevision, request })
      const [found] = await view.build.get('bookings', [bookingId(stream, params.booking)])
      if (found) return documentAnswer(view, found, request)
      throw screeningProblem('booking-not-found', { headers: freshnessHeaders(view) })
    },
  }),

  operation({
    method: 'GET',
    path: '/screenings/:screening/bookings',
    id: 'listBookings',
    tag: 'screenings',
    summary: 'List bookings',
    description: 'Newest first, cancelled ones too unless told.',
    params: { screening: screeningIdSchema },
    query: {
      ...pageQuery,
      ...freshQuery,
      order: orderSchema,
      seat: seatSchema,
      status: statusSchema,
    },
    headers: freshHeaders,
    answers: { 200: { description: 'A page of bookings', schema: pageOf(bookingSchema) } },
    problems: [...freshProblems, 'screening-not-found'],
    async handle({ params: { screening }, query, request }) {
      const { limit, cursor, 'min-revision': minRevision, ...filters } = query
      const stream = screeningStream(screening)
      const identity: ListIdentity = {
        ...{ list: `bookings/${stream}`, filters },
        key: ['number', 'string'],
      }
      const after = readCursor(identity, cursor)
      const view = await views.ofStream(screenings, stream, { minRevision, request })
      if (view.revision === undefined) throw screeningProblem('screening-not-found')
      const page = await view.build.find({
        ...{ collection: 'bookings', ...selectionOf(screening, filters), limit },
        direction: directionOf(filters.order),
        ...(after && { after }),
      })
      return pageAnswer(view, page, identity)
    },
  }),
]

interface Filters {
  readonly seat?: string
  readonly status?: string
}

/** The narrowest index that applies, and the other filter as a condition on what it finds. */
function selectionOf(screening: string, { seat, status }: Filters) {
  if (seat !== undefined) {
    const where = status === undefined ? {} : { status }
    return { index: 'by-seat', equals: [screening, seat], where }
  }
  if (status !== undefined) return { index: 'by-status', equals: [screening, status] }
  return { index: 'by-revision', equals: [screening] }
}
