import type { LedgerEvent } from '../../events/ledger.ts'
import type { Answer, AnswerSchema } from '../../platform/http/operation.ts'
import { Problem, problemsOf } from '../../platform/http/problem.ts'
import type { Request } from '../../platform/http/request.ts'
import type { FromSchema, Schema } from '../../platform/json-schema.ts'
import type { CommandRequest, CoreRejectionCode, Outcome } from '../command.ts'
import type { LedgerCommand } from '../domain/ledger/commands.ts'
import type { LedgerRejectionCode } from '../domain/ledger/rejections.ts'
import { failureProblem, failureProblems, rejectionProblems } from '../problems.ts'

/** What an accepted command is answered with: a function of its events alone. */
export const acceptedSchema = {
  type: 'object',
  properties: {
    revision: {
      type: 'string',
      pattern: '^[0-9]+$',
      description: 'Of the last event; a read with `min-revision` of this shows the change.',
    },
    recordedAt: { type: 'string' },
    events: {
      type: 'array',
      description: 'What the command made. Empty where all was so already.',
      items: {
        type: 'object',
        properties: { type: { type: 'string' }, data: { type: 'object' } },
        required: ['type', 'data'],
        additionalProperties: false,
      },
    },
  },
  required: ['events'],
  additionalProperties: false,
} as const satisfies Schema

type Accepted = FromSchema<typeof acceptedSchema>

export const answers = {
  200: { description: 'Nothing had to change, or it was a dry run.', schema: acceptedSchema },
  201: { description: 'Done, and durable.', schema: acceptedSchema },
} as const satisfies Readonly<Record<number, AnswerSchema>>

export const dryRunQuery = {
  'dry-run': {
    type: 'boolean',
    description: 'Decides and answers, but changes nothing.',
  },
} as const

export const commandHeaders = {
  'Idempotency-Key': 'Names the command: sent again with the same key, it is done once.',
} as const

const keyForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/

const failure = problemsOf(failureProblems)

/** The caller's idempotency key, bare or as a quoted string. @throws {Problem} */
export function idempotencyKeyOf(request: Request): string | undefined {
  const given = request.header('idempotency-key')
  if (given === undefined) return undefined
  const key = given.startsWith('"') && given.endsWith('"') ? given.slice(1, -1) : given
  if (!keyForm.test(key)) throw failure('invalid-idempotency-key')
  return key
}

/** Who asks. Until there is identity, everyone who reaches the port is the same caller. */
export const callerOf = (_request: Request): string => 'anonymous'

/** What a request says of its command beside the body. */
export function requestMeta(
  request: Request,
  deadline: number,
): Pick<CommandRequest<never>, 'caller' | 'deadline' | 'idempotencyKey' | 'trace'> {
  const idempotencyKey = idempotencyKeyOf(request)
  return {
    caller: callerOf(request),
    deadline,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    trace: { correlationId: request.id, traceparent: request.traceparent },
  }
}

type LedgerOutcome = Outcome<LedgerEvent, LedgerRejectionCode | CoreRejectionCode>

/** What the routes of a ledger are given. */
export interface LedgerRoutes {
  readonly handle: (
    ledger: string,
    request: CommandRequest<LedgerCommand>,
  ) => Promise<LedgerOutcome>
  /** Until when a command that comes now may be decided, in the clock's milliseconds. */
  readonly deadline: () => number
  /** Ids for transactions that come without one. */
  readonly newTransactionId: () => string
}

interface CommandCall {
  readonly params: { readonly ledger: string }
  readonly query: { readonly 'dry-run'?: boolean }
  readonly request: Request
}

/** Hands a command to its ledger and answers what became of it; `content` is what the client sent. */
export function submit(
  { handle, deadline }: LedgerRoutes,
  { params: { ledger }, query, request }: CommandCall,
  command: LedgerCommand,
  content: unknown = command,
): Promise<Answer<200 | 201>> {
  const dryRun = query['dry-run'] ?? false
  const meta = requestMeta(request, deadline())
  return respond(handle(ledger, { command, content, dryRun, ...meta }))
}

/** Waits for an outcome and answers it. @throws {Problem} for a refusal or a failure */
async function respond(outcome: Promise<LedgerOutcome>): Promise<Answer<200 | 201>> {
  const settled = await outcome.catch((error: unknown) => {
    throw failureProblem(error)
  })
  if (settled.status === 'refused') {
    const { code, detail } = settled.rejection
    throw new Problem(code, rejectionProblems[code], { detail })
  }
  const { revision, events, replayed } = settled
  const body: Accepted = {
    ...(revision !== undefined && { revision: revision.toString() }),
    ...(events[0] && { recordedAt: events[0].recordedAt }),
    events: events.map(({ event: { type, data } }) => ({ type, data: { ...data } })),
  }
  return {
    status: revision === undefined || events.length === 0 ? 200 : 201,
    body,
    headers: {
      ...(revision !== undefined && { 'Evident-Revision': revision.toString() }),
      ...(replayed && { 'Idempotency-Replayed': 'true' }),
    },
  }
}
