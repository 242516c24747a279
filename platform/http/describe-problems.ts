import type { Operation } from './operation.ts'
import { codesOf } from './operation-problems.ts'
import type { ProblemDefinition, ProblemDefinitions } from './problem.ts'

type Json = Readonly<Record<string, unknown>>

/** The answers that are problems: one a status, naming the codes that can occur under it. */
export function describeProblems(declared: Operation, definitions: ProblemDefinitions): Json {
  const byStatus: Record<string, (readonly [string, ProblemDefinition])[]> = {}
  for (const code of codesOf(declared)) {
    const definition = definitions[code]
    if (definition === undefined || definition.status in declared.answers) continue
    const others = byStatus[definition.status] ?? []
    byStatus[definition.status] = [...others, [code, definition]]
  }
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, problems]) => [
      status,
      {
        description: problems.map(([code, { title }]) => `\`${code}\`: ${title}`).join('\n\n'),
        ...(status === '503' && { headers: { 'Retry-After': retryAfter } }),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(
              problems.map(([code]) => [code, { $ref: `#/components/examples/${code}` }]),
            ),
          },
        },
      },
    ]),
  )
}

const retryAfter: Json = {
  description: 'Seconds after which to send it again.',
  schema: { type: 'integer', examples: [1] },
}

const requestId = 'q3o1f7Yw2a9k.1c'

/** A problem of each code, to be quoted by the answers. */
export const problemExamples = (definitions: ProblemDefinitions): Json =>
  Object.fromEntries(
    Object.entries(definitions).map(([code, { status, title }]) => [
      code,
      { summary: title, value: { type: `/problems/${code}`, title, status, code, requestId } },
    ]),
  )

export const problemSchema: Json = {
  type: 'object',
  description: 'An error (RFC 9457). Branch on `code`, which is stable.',
  properties: {
    type: { type: 'string', description: 'Path that describes the code.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string', description: 'What is wrong with this request.' },
    pointer: { type: 'string', description: 'JSON pointer to the part that is wrong.' },
    parameter: { type: 'string', description: 'The query parameter that is wrong.' },
    requestId: { type: 'string', description: 'Under this id the log has more.' },
  },
  required: ['type', 'title', 'status', 'code', 'requestId'],
  examples: [
    {
      type: '/problems/invalid-amount',
      title: 'The amount is not valid',
      status: 400,
      code: 'invalid-amount',
      pointer: '/postings/0/amount',
      requestId,
    },
  ],
}
