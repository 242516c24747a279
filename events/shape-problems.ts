import type { ProblemDefinitions } from '../platform/http/problem.ts'

const invalid = (what: string, advice: string) => ({
  status: 400,
  title: `${what} is not valid`,
  advice,
})

/** The codes that the shapes of `shapes.ts` name, for the errors of both services. */
export const shapeProblems = {
  'invalid-ledger-id': invalid(
    'The ledger id',
    'Lower-case letters, digits and `-`, at most 63 characters, no `-` in front.',
  ),
  'invalid-account-id': invalid(
    'The account id',
    'Segments of letters, digits, `_` and `-`, joined by `:`, at most 256 characters.',
  ),
  'invalid-id': invalid(
    'The id',
    'Letters, digits, `.`, `_`, `:` and `-`, at most 128 characters, beginning with one of the first two.',
  ),
  'invalid-asset': invalid(
    'The asset',
    'A code of capital letters and digits, `/`, and the number of decimal places: `CZK/2`, `JPY/0`.',
  ),
  'invalid-amount': invalid(
    'The amount',
    'A positive whole number of the smallest unit, as a string of 1 to 38 digits: `"1050"`.',
  ),
  'invalid-overdraft': invalid(
    'The overdraft',
    '`none`, `unlimited`, or a positive whole number of the smallest unit as a string, by asset.',
  ),
  'invalid-reference': invalid(
    'The reference',
    'A string of 1 to 256 characters, without control characters.',
  ),
  'invalid-metadata': invalid(
    'The metadata',
    'At most 32 keys of letters, digits, `.`, `_` and `-`, each with a string of up to 1,024 characters, none of them a control character.',
  ),
  'invalid-time': invalid(
    'The time',
    'RFC 3339 with seconds, at most milliseconds, and an offset: `2026-01-31T09:30:00Z`.',
  ),
  'invalid-postings': invalid('The list of postings', 'A list of 1 to 1,000 postings.'),
} as const satisfies ProblemDefinitions

/** What a ledger's commands and reads both can miss. */
export const absenceProblems = {
  'ledger-not-found': {
    status: 404,
    title: 'The ledger does not exist',
    advice: 'Create it first.',
  },
  'account-not-found': {
    status: 404,
    title: 'The account is not open',
    advice: 'Open it, or create the ledger so that accounts are opened on first use.',
  },
} as const satisfies ProblemDefinitions
