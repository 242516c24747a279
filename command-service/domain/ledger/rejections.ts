import type { Rejection } from '../decider.ts'

/** Every reason for which a ledger refuses a command. */
export type LedgerRejectionCode =
  | 'ledger-not-found'
  | 'ledger-exists'
  | 'account-not-found'
  | 'account-exists'
  | 'same-account'
  | 'insufficient-funds'
  | 'balance-overflow'
  | 'transaction-exists'

export type LedgerRejection = Rejection<LedgerRejectionCode>

export const refuse = (code: LedgerRejectionCode, detail: string): LedgerRejection => ({
  code,
  detail,
})
