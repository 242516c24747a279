import type { Audit } from '../../../command-service/domain/audit.ts'
import type { ScreeningCommand } from './commands.ts'
import type { ScreeningEvent } from './events.ts'
import type { Screening } from './state.ts'

/** Every command of a screening makes one event. */
export const screeningAudit: Audit<ScreeningCommand, ScreeningEvent, Screening> = {
  commandOf(type, [event, ...more]) {
    if (!event || more.length > 0) return undefined
    switch (event.type) {
      case 'ScreeningOpened':
        return type === 'OpenScreening' ? { type, ...event.data } : undefined
      case 'SeatsBooked':
        return type === 'BookSeats'
          ? { type, id: event.data.booking, seats: event.data.seats }
          : undefined
      case 'BookingCancelled':
        return type === 'CancelBooking' ? { type, booking: event.data.booking } : undefined
    }
  },

  *partsOf({ plan, taken, booked }) {
    yield ['the plan', plan]
    yield ['booked', booked]
    for (const [seat, isTaken] of taken.ownEntries()) if (isTaken) yield [seat, 'taken']
  },

  *faultsOf({ plan, taken, booked }) {
    const seats = [...taken.ownEntries()].filter(([, isTaken]) => isTaken).length
    if (booked !== seats) yield `${booked} places are booked, and ${seats} seats are taken`
    if (booked > (plan?.capacity ?? 0)) yield `${booked} places are booked, more than there are`
  },
}
