import type { DomainService } from '../../app/domain-entry.ts'
import { screeningCommandOperations } from './command-routes.ts'
import type { ScreeningCommand } from './domain/commands.ts'
import type { ScreeningEvent } from './domain/events.ts'
import type { ScreeningRejectionCode } from './domain/rejections.ts'
import type { Screening } from './domain/state.ts'
import { screeningProblems } from './problems.ts'
import { screeningQueryOperations } from './query-routes.ts'
import { screeningDomain } from './screening-domain.ts'

/** Screenings over HTTP. */
export const screeningService: DomainService<
  ScreeningCommand,
  ScreeningEvent,
  Screening,
  ScreeningRejectionCode
> = {
  domain: screeningDomain,
  commandOperations: screeningCommandOperations,
  queryOperations: screeningQueryOperations,
  problems: screeningProblems,
}
