import { absenceProblems } from '../events/shape-problems.ts'
import { type ProblemDefinitions, problemsOf } from '../platform/http/problem.ts'

/** What a read can be refused with, beside the shapes and the HTTP edge. */
export const queryProblems = {
  ...absenceProblems,
  'transaction-not-found': {
    status: 404,
    title: 'The transaction does not exist',
    advice: 'Check the id. After a command, read with `min-revision` of its answer.',
  },
  'stream-not-found': {
    status: 404,
    title: 'The stream has no events',
    advice: 'Check the name: a ledger is `ledger-<id>`.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor is not one of this list',
    advice: 'Take `next` of the last page, with the same filters and order, or none.',
  },
  'invalid-limit': {
    status: 400,
    title: 'The limit is not valid',
    advice: 'A whole number from 1 to 1,000.',
  },
  'invalid-revision': {
    status: 400,
    title: 'The revision is not valid',
    advice: 'A whole number from 0 on, as an answer to a command has it.',
  },
  'invalid-stream': {
    status: 400,
    title: 'The name of the stream is not valid',
    advice: 'A category, `-` and an id, at most 128 characters: `ledger-main`.',
  },
  'invalid-position': {
    status: 400,
    title: 'The position is not valid',
    advice: 'Take it from an event of this log, as it stands there.',
  },
  'invalid-wait': {
    status: 400,
    title: 'The time to wait is not valid',
    advice: '`Prefer: wait=S` with S from 0 to 30, in seconds.',
  },
  'too-many-filters': {
    status: 400,
    title: 'There are more filters than can be combined',
    advice: 'At most two of `metadata.<key>`.',
  },
  'too-much-to-sum': {
    status: 400,
    title: 'The sum goes over too many accounts',
    advice: 'Narrow it by `prefix`.',
  },
  'revision-ahead': {
    status: 404,
    title: 'The ledger has not come to this revision',
    advice: 'Ask for an earlier one, or use `min-revision` to wait for it.',
  },
  'view-late': {
    status: 503,
    title: 'The view does not show the revision yet',
    advice:
      'Read again after the seconds in `Retry-After`, if a command answered with this revision: it ' +
      'did succeed. Any other may never come.',
  },
  'view-parked': {
    status: 503,
    title: 'The view stands still before the revision',
    advice: 'The operator finds the event in `/status` and retries it; the log is whole.',
  },
  'view-building': {
    status: 503,
    title: 'The view is being built',
    advice: 'Read again after the seconds in `Retry-After`.',
  },
  'read-models-unavailable': {
    status: 503,
    title: 'The read models cannot be read',
    advice: 'Read again after the seconds in `Retry-After`.',
  },
  'log-unavailable': {
    status: 503,
    title: 'The log cannot be read',
    advice: 'Read again after the seconds in `Retry-After`.',
  },
} as const satisfies ProblemDefinitions

/** A problem of a read. */
export const queryProblem = problemsOf(queryProblems)

export const retryAfter = { 'Retry-After': '1' } as const
