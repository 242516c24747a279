import { EventStoreUnavailable } from '../events/event-store.ts'
import { absenceProblems } from '../events/shape-problems.ts'
import { Problem, type ProblemDefinition, type ProblemDetails } from '../platform/http/problem.ts'
import { type CoreRejectionCode, OutcomeUnknown, Overloaded, StreamUnavailable } from './command.ts'
import type { LedgerRejectionCode } from './domain/ledger/rejections.ts'

const refusal = (status: number, title: string, advice: string): ProblemDefinition => ({
  status,
  title,
  advice,
})

/** Every refusal and what it is over HTTP: a new code does not compile until it stands here. */
export const rejectionProblems: Record<LedgerRejectionCode | CoreRejectionCode, ProblemDefinition> =
  {
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
    'command-too-large': refusal(
      422,
      'The command would make more than 900,000 bytes of events',
      'Split it.',
    ),
    'idempotency-key-reused': refusal(
      422,
      'The idempotency key was used with other content',
      'Use a new key for a new command.',
    ),
  }

/** What keeps a command from being decided or answered. */
export const failureProblems = {
  'invalid-idempotency-key': {
    status: 400,
    title: 'The idempotency key is not valid',
    advice: 'Letters, digits, `.`, `_`, `:` and `-`, at most 200 characters.',
  },
  overloaded: {
    status: 503,
    title: 'Too much is waiting',
    advice: 'Nothing was done. Send it again after the seconds in `Retry-After`.',
  },
  'outcome-unknown': {
    status: 503,
    title: 'The outcome is not known yet',
    advice:
      'It may have been done. Send the same command with the same key or id: it is done once.',
  },
  'event-store-unavailable': {
    status: 503,
    title: 'The event store cannot be reached or written',
    advice: 'Nothing was done. Send it again after the seconds in `Retry-After`.',
  },
  'ledger-unavailable': {
    status: 503,
    title: 'The ledger cannot be served',
    advice: 'Its log holds what this program cannot read. The operator finds the place in the log.',
  },
} as const satisfies Readonly<Record<string, ProblemDefinition>>

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

const retryAfter = { 'Retry-After': '1' }

/** The problem that a failure of the command handler is answered with. */
export function failureProblem(cause: unknown): unknown {
  const because = (code: keyof typeof failureProblems, details: ProblemDetails = {}): Problem =>
    new Problem(code, failureProblems[code], { ...details, cause, headers: retryAfter })
  if (cause instanceof Overloaded) return because('overloaded', { detail: cause.message })
  if (cause instanceof OutcomeUnknown) return because('outcome-unknown')
  if (cause instanceof EventStoreUnavailable) return because('event-store-unavailable')
  if (cause instanceof StreamUnavailable) return because('ledger-unavailable')
  return cause
}
