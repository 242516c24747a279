import type { Domain } from '../../command-service/domain/domain.ts'
import { screeningAudit } from './domain/audit.ts'
import type { ScreeningCommand } from './domain/commands.ts'
import { screeningDecider } from './domain/decider.ts'
import { type ScreeningEvent, screeningCategory, screeningCodec } from './domain/events.ts'
import { bookingName, namesIn } from './domain/names.ts'
import type { ScreeningRejectionCode } from './domain/rejections.ts'
import { screeningSnapshot } from './domain/snapshot.ts'
import type { Screening } from './domain/state.ts'

/** About what a seat takes in memory. */
const bytesPerSeat = 100

export const screeningDomain: Domain<
  ScreeningCommand,
  ScreeningEvent,
  Screening,
  ScreeningRejectionCode
> = {
  category: screeningCategory,
  codec: screeningCodec,
  decider: screeningDecider,
  nameOf: (command) => (command.type === 'BookSeats' ? bookingName(command.id) : undefined),
  namesIn,
  conflict: () => 'booking-exists',
  snapshot: screeningSnapshot,
  audit: screeningAudit,
  weigh: ({ taken }) => taken.size * bytesPerSeat,
  sources: [new URL('./domain/', import.meta.url), new URL('../../events/', import.meta.url)],
}
