import { LayeredMap } from '../../../command-service/domain/layered-map.ts'
import type { ScreeningEvent, ScreeningOpened } from './events.ts'

/** What deciding needs of a screening. It grows with the hall, not with the bookings. */
export interface Screening {
  /** `undefined` until the screening is opened. */
  readonly plan: ScreeningOpened['data'] | undefined
  /** By seat, whether it is taken; by whom, only the log knows. */
  readonly taken: LayeredMap<string, boolean>
  readonly booked: number
}

export const emptyScreening = (): Screening => ({
  plan: undefined,
  taken: new LayeredMap(),
  booked: 0,
})

/** Folds an event into the screening; seats change in place, in the top layer. */
export function evolveScreening(screening: Screening, event: ScreeningEvent): Screening {
  const { taken, booked } = screening
  switch (event.type) {
    case 'ScreeningOpened':
      return { ...screening, plan: event.data }
    case 'SeatsBooked':
      for (const seat of event.data.seats) taken.set(seat, true)
      return { ...screening, booked: booked + event.data.seats.length }
    case 'BookingCancelled':
      for (const seat of event.data.seats) taken.set(seat, false)
      return { ...screening, booked: booked - event.data.seats.length }
  }
}
