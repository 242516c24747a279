import { absenceProblems } from '../events/shape-problems.ts'
import type { ProblemDefinition } from '../platform/http/problem.ts'
import type { LedgerRejectionCode } from './domain/ledger/rejections.ts'

const refusal = (status: number, title: string, advice: string): ProblemDefinition => ({
  status,
  title,
  advice,
})

/** Every refusal of a ledger over HTTP: a new code does not compile until it stands here. */
export const ledgerRejectionProblems: Record<LedgerRejectionCode, ProblemDefinition> = {
  ...absenceProblems,
  'ledger-exists': refusal(
    409,
    'The ledger exists with other settings',
    'Read what is there; settings of a ledger are not changed by creating it again.',
  ),
  'account-exists': refusal(
    409,
    'The account exists with other content',
    'Read what is there; change it by PATCH.',
  ),
  'same-account': refusal(
    422,
    'A posting goes from an account to itself',
    'Name two different accounts.',
  ),
  'insufficient-funds': refusal(
    422,
    'An account would go below what it may',
    'Post less, or set an overdraft. The detail has the figures.',
  ),
  'balance-overflow': refusal(
    422,
    'A balance would have more than 38 digits',
    'Use a larger unit for the asset.',
  ),
  'transaction-exists': refusal(
    409,
    'The transaction id was used with other content',
    'Use a new id for a new transaction.',
  ),
}

/** Codes of the lines of a bulk; as answers of their own they do not occur. */
export const lineProblems = {
  'line-too-long': refusal(413, 'A line has more than 1 MiB', 'Split the transaction.'),
  'line-without-key': refusal(
    400,
    'A line has neither an id nor a key',
    'Give it one, or send an `Idempotency-Key` with the request.',
  ),
  'unknown-command': refusal(400, 'No command is of this type', '`/openapi.json` lists them.'),
} as const satisfies Readonly<Record<string, ProblemDefinition>>
