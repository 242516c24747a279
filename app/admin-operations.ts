import { json, type Operation, operation } from '../platform/http/operation.ts'
import { type ProblemDefinitions, problemsOf } from '../platform/http/problem.ts'
import type { Schema } from '../platform/json-schema.ts'
import type { CatchUpProgress } from '../projections/catch-up.ts'
import type { Projection } from '../projections/projection.ts'
import type { ReadSide } from './read-side.ts'

/** What operators are refused with. */
export const adminProblems = {
  'projection-not-found': {
    status: 404,
    title: 'There is no such projection',
    advice: '`GET /status` lists them, by name and version: give the name.',
  },
  'rebuild-running': {
    status: 409,
    title: 'The projection is being rebuilt already',
    advice: 'Follow it with `GET /projections/:projection/rebuild`.',
  },
} as const satisfies ProblemDefinitions

const adminProblem = problemsOf(adminProblems)

const projectionSchema = {
  type: 'string',
  maxLength: 64,
  pattern: '^[a-z][a-z0-9-]*$',
  description: 'Name of a projection, without its version: `accounts`.',
} as const satisfies Schema

const streamSchema = {
  type: 'string',
  maxLength: 256,
  pattern: '^[a-z][a-z0-9]*-[A-Za-z0-9._:-]+$',
  description: 'Name of a parked stream, such as `ledger-main`.',
} as const satisfies Schema

export const rebuildSchema = {
  type: 'object',
  properties: {
    projection: { type: 'string' },
    state: {
      type: 'string',
      enum: ['never', 'building', 'done', 'failed'],
      description: 'Of the last rebuild since the process started.',
    },
    events: { type: 'integer', description: 'Read so far.' },
    position: { type: 'string' },
    end: { type: 'string', description: 'Where the log ended when it began.' },
    reason: { type: 'string', description: 'Why it failed; the live build is as it was.' },
  },
  required: ['projection', 'state'],
  additionalProperties: false,
} as const satisfies Schema

export const retriedSchema = {
  type: 'object',
  properties: { flows: { type: 'boolean', description: 'Whether the stream is parked no more.' } },
  required: ['flows'],
  additionalProperties: false,
} as const satisfies Schema

type Rebuild =
  | { readonly state: 'building' | 'done' }
  | { readonly state: 'failed'; readonly reason: string }

/** Routes of operators: rebuild a projection while reads go on, retry a parked stream. */
export function adminOperations(
  of: ReadSide['projections'],
  projections: readonly Projection[],
): readonly Operation[] {
  const rebuilds = new Map<string, Rebuild>()

  function requireProjection(name: string): void {
    if (!projections.some((one) => one.name === name)) throw adminProblem('projection-not-found')
  }

  async function describe(projection: string) {
    const rebuild = rebuilds.get(projection) ?? { state: 'never' }
    const progress: CatchUpProgress | undefined = await of.rebuildProgress(projection)
    return { projection, ...rebuild, ...progress }
  }

  return [
    operation({
      method: 'POST',
      path: '/projections/:projection/rebuild',
      id: 'rebuildProjection',
      tag: 'operation',
      summary: 'Rebuild a projection from the log',
      description: 'Beside the live build, which serves reads until the new one has come as far.',
      params: { projection: projectionSchema },
      answers: { 202: { description: 'It has begun.', schema: rebuildSchema } },
      problems: ['projection-not-found', 'rebuild-running'],
      handle({ params: { projection } }) {
        requireProjection(projection)
        if (rebuilds.get(projection)?.state === 'building') throw adminProblem('rebuild-running')
        rebuilds.set(projection, { state: 'building' })
        of.rebuild(projection).then(
          () => rebuilds.set(projection, { state: 'done' }),
          (error: Error) => rebuilds.set(projection, { state: 'failed', reason: error.message }),
        )
        return json(202, { projection, state: 'building' })
      },
    }),

    operation({
      method: 'GET',
      path: '/projections/:projection/rebuild',
      id: 'getRebuild',
      tag: 'operation',
      summary: 'How far a rebuild is',
      params: { projection: projectionSchema },
      answers: { 200: { description: 'The last one since the start', schema: rebuildSchema } },
      problems: ['projection-not-found'],
      async handle({ params: { projection } }) {
        requireProjection(projection)
        return json(200, await describe(projection))
      },
    }),

    operation({
      method: 'POST',
      path: '/projections/:projection/parked/:stream/retry',
      id: 'retryParked',
      tag: 'operation',
      summary: 'Try a parked stream again',
      description: 'Its events are applied in order, from the one that could not be.',
      params: { projection: projectionSchema, stream: streamSchema },
      answers: { 200: { description: 'What came of it', schema: retriedSchema } },
      problems: ['projection-not-found'],
      async handle({ params: { projection, stream } }) {
        requireProjection(projection)
        return json(200, { flows: await of.retry(projection, stream) })
      },
    }),
  ]
}
