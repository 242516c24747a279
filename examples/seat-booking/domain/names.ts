import type { Name } from '../../../command-service/domain/decider.ts'
import type { ScreeningCommand } from './commands.ts'
import type { ScreeningEvent } from './events.ts'

/**
 * The past is asked for the latest event about a name. A booking and its cancellation are two names,
 * so that the one does not hide the other.
 */
export const bookingName = (id: string): Name => ({ namespace: 'booking', id })
export const cancellationName = (id: string): Name => ({ namespace: 'cancellation', id })

/** What an event is found by later. */
export function namesIn(event: ScreeningEvent): readonly Name[] {
  switch (event.type) {
    case 'ScreeningOpened':
      return []
    case 'SeatsBooked':
      return [bookingName(event.data.booking)]
    case 'BookingCancelled':
      return [cancellationName(event.data.booking)]
  }
}

/** What a command needs of the past: seats are freed that only the booking's event still names. */
export const recalls = (command: ScreeningCommand): readonly Name[] =>
  command.type === 'CancelBooking'
    ? [bookingName(command.booking), cancellationName(command.booking)]
    : []
