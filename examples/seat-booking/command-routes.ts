import {
  answers,
  type CommandRoutes,
  commandCodes,
  commandHeaders,
  dryRunQuery,
  submitTo,
} from '../../command-service/submit-command.ts'
import { idSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { compile } from '../../platform/json-schema.ts'
import { type ScreeningCommand, screeningCommands } from './domain/commands.ts'
import type { ScreeningEvent } from './domain/events.ts'
import type { ScreeningRejectionCode } from './domain/rejections.ts'
import { screeningIdSchema } from './domain/shapes.ts'
import { screeningRefusals } from './problems.ts'

type Routes = CommandRoutes<ScreeningCommand, ScreeningEvent, ScreeningRejectionCode>

const submit = submitTo<ScreeningCommand, ScreeningEvent, ScreeningRejectionCode>(screeningRefusals)
const isOpenScreening = compile(screeningCommands.OpenScreening)
const isBookSeats = compile(screeningCommands.BookSeats)

const common = { tag: 'screenings', query: dryRunQuery, headers: commandHeaders, answers } as const

export const screeningCommandOperations = (routes: Routes): readonly Operation[] => [
  operation({
    ...common,
    method: 'PUT',
    path: '/screenings/:screening',
    id: 'openScreening',
    summary: 'Open a screening for booking',
    params: { screening: screeningIdSchema },
    body: isOpenScreening,
    problems: ['screening-exists', ...commandCodes],
    handle: (call) =>
      submit(routes, call.params.screening, call, { type: 'OpenScreening', ...call.body }),
  }),

  operation({
    ...common,
    method: 'POST',
    path: '/screenings/:screening/bookings',
    id: 'bookSeats',
    summary: 'Book seats',
    description: 'All of them, or none. With an `id` or an `Idempotency-Key` it is done once.',
    params: { screening: screeningIdSchema },
    body: isBookSeats,
    problems: [
      'screening-not-found',
      'screening-started',
      'seat-not-in-hall',
      'seat-taken',
      'sold-out',
      'booking-exists',
      ...commandCodes,
    ],
    handle({ params, body, ...call }) {
      const sent = { type: 'BookSeats', ...body } as const
      const command = { ...sent, id: body.id ?? routes.newId() }
      return submit(routes, params.screening, call, command, sent)
    },
  }),

  operation({
    ...common,
    method: 'POST',
    path: '/screenings/:screening/bookings/:booking/cancel',
    id: 'cancelBooking',
    summary: 'Cancel a booking',
    params: { screening: screeningIdSchema, booking: idSchema },
    problems: ['screening-not-found', 'booking-not-found', 'screening-started', ...commandCodes],
    handle: ({ params: { screening, booking }, ...call }) =>
      submit(routes, screening, call, { type: 'CancelBooking', booking }),
  }),
]
