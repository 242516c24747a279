import { failureProblem } from '../command-service/problems.ts'
import { anonymous } from '../platform/caller.ts'
import { json, type Operation, operation } from '../platform/http/operation.ts'
import { type ProblemDefinitions, problemsOf } from '../platform/http/problem.ts'
import { compile, type Schema } from '../platform/json-schema.ts'
import type { ReadSide } from './read-side.ts'
import type { SkipDecision, SkipOutcome, SkipRefused } from './skip-parked.ts'

export const parkedProblems = {
  'stream-not-parked': {
    status: 409,
    title: 'The stream does not wait in this projection',
    advice: '`GET /status` lists what is parked.',
  },
  'event-not-parked': {
    status: 409,
    title: 'The stream waits at another event',
    advice: 'Only the event that could not be applied can be skipped: `waitsAt` is its revision.',
  },
} as const satisfies ProblemDefinitions

const parkedProblem = problemsOf(parkedProblems)

const streamSchema = {
  type: 'string',
  maxLength: 256,
  pattern: '^[a-z][a-z0-9]*-[A-Za-z0-9._:-]+$',
  description: 'Name of a parked stream, such as `ledger-main`.',
  examples: ['ledger-main'],
} as const satisfies Schema

export const retriedSchema = {
  type: 'object',
  properties: { flows: { type: 'boolean', description: 'Whether the stream is parked no more.' } },
  required: ['flows'],
  additionalProperties: false,
} as const satisfies Schema

const text = { type: 'string' } as const

export const skippedSchema = {
  type: 'object',
  properties: {
    flows: { type: 'boolean', description: 'Whether the stream is parked no more.' },
    parked: {
      type: 'object',
      description: 'Where it waits now, and why.',
      properties: { stream: text, revision: text, reason: text, parkedAt: text },
      required: ['stream', 'revision', 'reason', 'parkedAt'],
      additionalProperties: false,
    },
  },
  required: ['flows'],
  additionalProperties: false,
} as const satisfies Schema

/** The same as of the event that is logged. */
export const maxReasonCharacters = 1_024

const skipBody = compile({
  type: 'object',
  properties: {
    reason: { type: 'string', minLength: 1, maxLength: maxReasonCharacters },
    revision: {
      type: 'string',
      pattern: '^(0|[1-9][0-9]{0,18})$',
      description: 'Of the event that could not be applied, as `GET /status` shows it.',
      examples: ['3'],
    },
  },
  required: ['reason', 'revision'],
  additionalProperties: false,
} as const)

export interface ParkedOptions {
  readonly projections: Pick<ReadSide['projections'], 'retry'>
  readonly skip: (decision: SkipDecision) => Promise<SkipOutcome | SkipRefused>
  readonly projectionSchema: Exclude<Schema, boolean>
  /** @throws {Problem} */
  readonly requireProjection: (name: string) => void
}

/** Routes of operators for streams that wait: try again, or leave the event out. */
export function parkedOperations(options: ParkedOptions): readonly Operation[] {
  const { projections, skip, requireProjection } = options
  const params = { projection: options.projectionSchema, stream: streamSchema }
  return [
    operation({
      method: 'POST',
      path: '/projections/:projection/parked/:stream/retry',
      id: 'retryParked',
      tag: 'operation',
      summary: 'Try a parked stream again',
      description: 'Its events are applied in order, from the one that could not be.',
      params,
      answers: { 200: { description: 'What came of it', schema: retriedSchema } },
      problems: ['projection-not-found'],
      async handle({ params: { projection, stream } }) {
        requireProjection(projection)
        return json(200, { flows: await projections.retry(projection, stream) })
      },
    }),

    operation({
      method: 'POST',
      path: '/projections/:projection/parked/:stream/skip',
      id: 'skipParked',
      tag: 'operation',
      summary: 'Leave out the event that a stream waits at',
      description:
        'For good: the decision is logged, rebuilds and verifications obey it, and the projection ' +
        'is marked incomplete. Then the stream goes on from the next event.',
      params,
      body: skipBody,
      answers: { 200: { description: 'What came of it', schema: skippedSchema } },
      problems: [
        'projection-not-found',
        'stream-not-parked',
        'event-not-parked',
        'event-store-unavailable',
      ],
      async handle({ params: { projection, stream }, body: { reason, revision } }) {
        requireProjection(projection)
        const decision = { projection, stream, revision, reason, by: anonymous }
        const outcome = await skip(decision).catch((error) => {
          throw failureProblem(error)
        })
        if ('flows' in outcome) return json(200, outcome)
        const { waitsAt } = outcome
        if (waitsAt === undefined) throw parkedProblem('stream-not-parked')
        throw parkedProblem('event-not-parked', { members: { waitsAt } })
      },
    }),
  ]
}
