import {
  type Decider,
  type DecisionContext,
  textOf,
} from '../../../command-service/domain/decider.ts'
import type { BookSeats, CancelBooking, OpenScreening, ScreeningCommand } from './commands.ts'
import type { ScreeningEvent, ScreeningOpened } from './events.ts'
import { bookingName, cancellationName, recalls } from './names.ts'
import { refuse, type ScreeningRejection, type ScreeningRejectionCode } from './rejections.ts'
import { emptyScreening, evolveScreening, type Screening } from './state.ts'

type Decision = readonly ScreeningEvent[] | ScreeningRejection
type Context = DecisionContext<ScreeningEvent>

/** The rules of a screening. */
export const screeningDecider: Decider<
  ScreeningCommand,
  ScreeningEvent,
  Screening,
  ScreeningRejectionCode
> = {
  initialState: emptyScreening,
  decide(command, screening, context) {
    switch (command.type) {
      case 'OpenScreening':
        return openScreening(command, screening)
      case 'BookSeats':
        return bookSeats(command, screening, context)
      case 'CancelBooking':
        return cancelBooking(command, screening, context)
    }
  },
  evolve: evolveScreening,
  recalls,
  layers: {
    layer: (screening) => ({ ...screening, taken: screening.taken.layer() }),
    merge: (screening, base) => ({ ...screening, taken: screening.taken.mergeInto(base.taken) }),
  },
}

function openScreening(command: OpenScreening, { plan }: Screening): Decision {
  const { rows, seatsPerRow, startsAt } = command
  const capacity = Math.min(command.capacity ?? Number.POSITIVE_INFINITY, rows * seatsPerRow)
  const data = { capacity, rows, seatsPerRow, startsAt }
  if (!plan) return [{ type: 'ScreeningOpened', data }]
  const same =
    plan.capacity === capacity &&
    plan.rows === rows &&
    plan.seatsPerRow === seatsPerRow &&
    plan.startsAt === startsAt
  return same ? [] : refuse('screening-exists', 'it is open with another hall or time')
}

/** Order of the checks: the screening, its start, the hall, the seats, the capacity. */
function bookSeats(
  { id: booking, seats }: BookSeats,
  { plan, taken, booked }: Screening,
  { now }: Context,
): Decision {
  if (!plan) return refuse('screening-not-found', 'it was never opened')
  if (now >= plan.startsAt) return refuse('screening-started', `it began at ${plan.startsAt}`)
  for (const seat of seats) {
    if (!isInHall(seat, plan)) return refuse('seat-not-in-hall', `there is no seat ${seat}`)
  }
  for (const seat of seats) {
    if (taken.get(seat)) return refuse('seat-taken', `${seat} is taken`)
  }
  const left = plan.capacity - booked
  if (seats.length > left) return refuse('sold-out', `${left} of ${plan.capacity} places are left`)
  return [{ type: 'SeatsBooked', data: { booking, seats } }]
}

/** Order of the checks: the screening, the booking, whether it is cancelled already, the start. */
function cancelBooking(
  { booking }: CancelBooking,
  { plan }: Screening,
  { now, recalled }: Context,
): Decision {
  if (!plan) return refuse('screening-not-found', 'it was never opened')
  const made = recalled.get(textOf(bookingName(booking)))?.event
  if (made?.type !== 'SeatsBooked') return refuse('booking-not-found', `no booking ${booking}`)
  if (recalled.has(textOf(cancellationName(booking)))) return []
  if (now >= plan.startsAt) return refuse('screening-started', `it began at ${plan.startsAt}`)
  return [{ type: 'BookingCancelled', data: { booking, seats: made.data.seats } }]
}

function isInHall(seat: string, { rows, seatsPerRow }: ScreeningOpened['data']): boolean {
  const row = seat.charCodeAt(0) - 'A'.charCodeAt(0)
  return row < rows && Number(seat.slice(1)) <= seatsPerRow
}
