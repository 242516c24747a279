import { json, type Operation, operation } from '../../platform/http/operation.ts'
import { type ProblemDefinitions, problemsOf } from '../../platform/http/problem.ts'
import type { Schema } from '../../platform/json-schema.ts'
import { steps, verificationSchema } from './verification.ts'
import type { VerificationRun, Verifier } from './verifier.ts'

export const verificationProblems = {
  'verification-running': {
    status: 409,
    title: 'A verification is running already',
    advice: 'Wait for it, or end it with `DELETE /verifications/:verification`.',
  },
  'verification-not-found': {
    status: 404,
    title: 'There is no such verification',
    advice: 'The last few since the start are kept: begin another with `POST /verifications`.',
  },
} as const satisfies ProblemDefinitions

const verificationProblem = problemsOf(verificationProblems)

const idSchema = {
  type: 'string',
  maxLength: 64,
  description: 'What `POST /verifications` answered.',
} as const satisfies Schema

export const verificationRunSchema = {
  type: 'object',
  properties: {
    verification: { type: 'string' },
    state: { type: 'string', enum: ['running', 'done', 'failed', 'cancelled'] },
    step: { type: 'string', enum: steps, description: 'What is under way.' },
    position: { type: 'string', description: 'How far it is in the log.' },
    end: { type: 'string', description: 'The position up to which everything is verified.' },
    result: verificationSchema,
    reason: { type: 'string', description: 'Why it failed: it says nothing of the data.' },
  },
  required: ['verification', 'state'],
  additionalProperties: false,
} as const satisfies Schema

const describe = ({ progress, ...run }: VerificationRun) => ({ ...run, ...progress })

/** @throws {Problem} */
function found(verifier: Verifier, verification: string) {
  const run = verifier.find(verification)
  if (!run) throw verificationProblem('verification-not-found')
  return json(200, describe(run))
}

/** Routes by which a server is told to verify itself while it serves. */
export const verificationOperations = (verifier: Verifier): readonly Operation[] => [
  operation({
    method: 'POST',
    path: '/verifications',
    id: 'startVerification',
    tag: 'operation',
    summary: 'Verify the log and the read models',
    description: 'All as it is now, while requests go on being served. One at a time.',
    answers: { 202: { description: 'It has begun.', schema: verificationRunSchema } },
    problems: ['verification-running'],
    handle() {
      const run = verifier.start()
      if (!run) throw verificationProblem('verification-running')
      return json(202, describe(run), { Location: `/verifications/${run.verification}` })
    },
  }),

  operation({
    method: 'GET',
    path: '/verifications/:verification',
    id: 'getVerification',
    tag: 'operation',
    summary: 'How far a verification is, and what it found',
    params: { verification: idSchema },
    answers: { 200: { description: 'As far as it is', schema: verificationRunSchema } },
    problems: ['verification-not-found'],
    handle: ({ params: { verification } }) => found(verifier, verification),
  }),

  operation({
    method: 'DELETE',
    path: '/verifications/:verification',
    id: 'cancelVerification',
    tag: 'operation',
    summary: 'End a verification',
    params: { verification: idSchema },
    answers: { 200: { description: 'It runs no more.', schema: verificationRunSchema } },
    problems: ['verification-not-found'],
    async handle({ params: { verification } }) {
      await verifier.cancel(verification)
      return found(verifier, verification)
    },
  }),
]
