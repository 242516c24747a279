import type { Rejection } from '../../../command-service/domain/decider.ts'

/** Every reason for which a screening refuses a command. */
export type ScreeningRejectionCode =
  | 'screening-not-found'
  | 'screening-exists'
  | 'screening-started'
  | 'seat-not-in-hall'
  | 'seat-taken'
  | 'sold-out'
  | 'booking-exists'
  | 'booking-not-found'

export type ScreeningRejection = Rejection<ScreeningRejectionCode>

export const refuse = (code: ScreeningRejectionCode, detail: string): ScreeningRejection => ({
  code,
  detail,
})
