import { EventStoreUnavailable } from '../events/event-store.ts'
import { Problem, type ProblemDefinition, type ProblemDetails } from '../platform/http/problem.ts'
import { type CoreRejectionCode, OutcomeUnknown, Overloaded, StreamUnavailable } from './command.ts'

/** The refusals that any domain's commands can meet. */
export const coreRejectionProblems: Record<CoreRejectionCode, ProblemDefinition> = {
  'command-too-large': {
    status: 422,
    title: 'The command would make more than 900,000 bytes of events',
    advice: 'Split it.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used with other content',
    advice: 'Use a new key for a new command.',
  },
}

/** What keeps a command from being decided or answered. */
export const failureProblems = {
  'invalid-idempotency-key': {
    status: 400,
    title: 'The idempotency key is not valid',
    advice:
      'Letters, digits, `.`, `_`, `:` and `-`, at most 200 characters, beginning with one of the first two.',
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
  'stream-unavailable': {
    status: 503,
    title: 'The stream cannot be served',
    advice: 'Its log holds what this program cannot read. The operator finds the place in the log.',
  },
} as const satisfies Readonly<Record<string, ProblemDefinition>>

/** What every domain's commands can be answered with. */
export const coreProblems = { ...coreRejectionProblems, ...failureProblems }

const retryAfter = { 'Retry-After': '1' }

/** The problem that a failure of the command handler is answered with. */
export function failureProblem(cause: unknown): unknown {
  const because = (code: keyof typeof failureProblems, details: ProblemDetails = {}): Problem =>
    new Problem(code, failureProblems[code], { ...details, cause, headers: retryAfter })
  if (cause instanceof Overloaded) return because('overloaded', { detail: cause.message })
  if (cause instanceof OutcomeUnknown) return because('outcome-unknown')
  if (cause instanceof EventStoreUnavailable) return because('event-store-unavailable')
  if (cause instanceof StreamUnavailable) return because('stream-unavailable')
  return cause
}
