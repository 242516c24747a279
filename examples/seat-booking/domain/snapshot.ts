import type { SnapshotForm } from '../../../command-service/domain/domain.ts'
import { compile } from '../../../platform/json-schema.ts'
import { screeningEvents } from './events.ts'
import { seatSchema } from './shapes.ts'
import { emptyScreening, type Screening } from './state.ts'

const isPlan = compile(screeningEvents.ScreeningOpened.schema)
const isSeats = compile({ type: 'array', items: seatSchema } as const)

/** The first line is the plan, the second the seats that are taken. */
export const screeningSnapshot: SnapshotForm<Screening> = {
  *write({ plan, taken }) {
    yield plan ?? null
    yield [...taken.ownEntries()].filter(([, isTaken]) => isTaken).map(([seat]) => seat)
  },

  read(lines) {
    const [plan, seats] = lines
    const screening = emptyScreening()
    if (!isSeats(seats)) throw new Error('a snapshot of a screening has no list of seats')
    for (const seat of seats) screening.taken.set(seat, true)
    return { ...screening, plan: isPlan(plan) ? plan : undefined, booked: seats.length }
  },
}
