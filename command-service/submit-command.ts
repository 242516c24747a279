import type { DomainEvent } from '../events/codec.ts'
import { anonymous } from '../platform/caller.ts'
import { canonicalJson } from '../platform/canonical-json.ts'
import { type Answer, type AnswerSchema, raw } from '../platform/http/operation.ts'
import { Problem, type ProblemDefinition } from '../platform/http/problem.ts'
import type { Request } from '../platform/http/request.ts'
import type { Schema } from '../platform/json-schema.ts'
import type { CommandRequest, CoreRejectionCode, Outcome } from './command.ts'
import { idempotencyKeyOf, idempotencyKeySchema } from './idempotency-key.ts'
import { coreProblems, coreRejectionProblems, failureProblem } from './problems.ts'

/** What an accepted command is answered with: a function of its events alone. */
export const acceptedSchema = {
  type: 'object',
  properties: {
    revision: {
      type: 'string',
      pattern: '^[0-9]+$',
      examples: ['3'],
      description: 'Of the last event; a read with `min-revision` of this shows the change.',
    },
    recordedAt: { type: 'string', examples: ['2026-01-31T09:30:00.000Z'] },
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
  'Idempotency-Key': {
    ...idempotencyKeySchema,
    description: 'Names the command: sent again with the same key, it is done once.',
  },
} as const

/** Who asks. Until there is identity, everyone who reaches the port is the same caller. */
export const callerOf = (_request: Request): string => anonymous

/** Codes that every command can be answered with, beside its domain's refusals. */
export const commandCodes: readonly string[] = Object.keys(coreProblems)

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

/** What the routes of a domain's commands are given. */
export interface CommandRoutes<Command, Event, Code extends string> {
  /** Decides a command on the stream of this id. */
  handle(id: string, request: CommandRequest<Command>): Promise<Outcome<Event, Code>>
  /** For senders of many commands: what to wait for before the next, if anything. */
  readonly room: () => Promise<void> | undefined
  /** Until when a command that comes now may be decided, in the clock's milliseconds. */
  readonly deadline: () => number
  /** Ids for what comes without one. */
  readonly newId: () => string
}

interface CommandCall {
  readonly query: { readonly 'dry-run'?: boolean }
  readonly request: Request
}

/**
 * How a domain's routes hand a command to the stream of an id and answer what became of it. `content`
 * is what the client sent; `refusals` says what each of the domain's refusals is over HTTP.
 */
export function submitTo<Command, Event extends DomainEvent, Code extends string>(
  refusals: Readonly<Record<Code, ProblemDefinition>>,
) {
  const definitions: Readonly<Record<Code | CoreRejectionCode, ProblemDefinition>> = {
    ...refusals,
    ...coreRejectionProblems,
  }

  return async (
    { handle, deadline }: CommandRoutes<Command, Event, Code>,
    id: string,
    { query, request }: CommandCall,
    command: Command,
    content: unknown = command,
  ): Promise<Answer<200 | 201>> => {
    const dryRun = query['dry-run'] ?? false
    const meta = requestMeta(request, deadline())
    const outcome = await handle(id, { command, content, dryRun, ...meta }).catch((error) => {
      throw failureProblem(error)
    })
    if (outcome.status === 'accepted') return accepted(outcome)
    const { code, detail } = outcome.rejection
    throw new Problem(code, definitions[code], { detail })
  }
}

/** Data as the log has it, so that an answer that is given again is the same to the byte. */
function accepted<Event extends DomainEvent>({
  revision,
  events,
  replayed,
}: Extract<Outcome<Event>, { readonly status: 'accepted' }>): Answer<200 | 201> {
  const [first] = events
  const made = events.map(
    ({ event: { type, data } }) => `{"type":"${type}","data":${canonicalJson(data)}}`,
  )
  const members = [
    ...(revision === undefined ? [] : [`"revision":"${revision}"`]),
    ...(first ? [`"recordedAt":"${first.recordedAt}"`] : []),
    `"events":[${made.join()}]`,
  ]
  return raw(revision === undefined || events.length === 0 ? 200 : 201, `{${members.join()}}`, {
    ...(revision !== undefined && { 'Evident-Revision': revision.toString() }),
    ...(replayed && { 'Idempotency-Replayed': 'true' }),
  })
}
