import { json, type Operation, operation } from '../platform/http/operation.ts'
import { type ProblemDefinitions, problemsOf } from '../platform/http/problem.ts'
import type { Schema } from '../platform/json-schema.ts'
import type { CatchUpProgress } from '../projections/catch-up.ts'
import type { Projection } from '../projections/projection.ts'
import { type ParkedOptions, parkedOperations, parkedProblems } from './parked-operations.ts'
import type { ReadSide } from './read-side.ts'
import { verificationOperations, verificationProblems } from './verify/verification-operations.ts'
import type { Verifier } from './verify/verifier.ts'

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
  ...parkedProblems,
  ...verificationProblems,
} as const satisfies ProblemDefinitions

const adminProblem = problemsOf(adminProblems)

const projectionSchema = {
  type: 'string',
  maxLength: 64,
  pattern: '^[a-z][a-z0-9-]*$',
  description: 'Name of a projection, without its version: `accounts`.',
  examples: ['accounts'],
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

type Rebuild =
  | { readonly state: 'building' | 'done' }
  | { readonly state: 'failed'; readonly reason: string }

export interface AdminOptions extends Pick<ParkedOptions, 'skip'> {
  readonly of: ReadSide['projections']
  readonly projections: readonly Projection[]
  readonly verifier: Verifier
}

/** Routes of operators: rebuild a projection and verify while reads go on, see to what is parked. */
export function adminOperations(options: AdminOptions): readonly Operation[] {
  const { of, projections, skip, verifier } = options
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

    ...parkedOperations({ projections: of, skip, projectionSchema, requireProjection }),
    ...verificationOperations(verifier),
  ]
}
