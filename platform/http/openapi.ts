import type { Schema } from '../json-schema.ts'
import { type AnswerSchema, json, type Operation, operation } from './operation.ts'
import { codesOf } from './operation-problems.ts'
import type { ProblemDefinitions } from './problem.ts'

type Json = Readonly<Record<string, unknown>>

export interface ApiDescription {
  readonly title: string
  readonly version: string
  readonly description: string
}

/** OpenAPI 3.1 of the operations, from the very schemas that check requests. */
export function describeApi(
  info: ApiDescription,
  operations: readonly Operation[],
  definitions: ProblemDefinitions,
): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const declared of operations) {
    const path = declared.path.replaceAll(/:([A-Za-z]+)/g, '{$1}')
    paths[path] = {
      ...paths[path],
      [declared.method.toLowerCase()]: describeOperation(declared, definitions),
    }
  }
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: { schemas: { Problem: problemSchema } },
  }
}

/** `GET /openapi.json`, of the other operations and itself. */
export function openApiOperation(
  info: ApiDescription,
  others: readonly Operation[],
  definitions: ProblemDefinitions,
): Operation {
  let description: Json | undefined
  const own: Operation = operation({
    method: 'GET',
    path: '/openapi.json',
    id: 'getOpenApi',
    tag: 'service',
    summary: 'This description',
    answers: { 200: { description: 'OpenAPI 3.1', schema: { type: 'object' } } },
    handle: () => {
      description ??= describeApi(info, [...others, own], definitions)
      return json(200, description)
    },
  })
  return own
}

function describeOperation(declared: Operation, definitions: ProblemDefinitions): Json {
  const { params = {}, query = {}, headers = {}, requiredQuery = [], body } = declared
  return {
    operationId: declared.id,
    tags: [declared.tag],
    summary: declared.summary,
    ...(declared.description === undefined ? {} : { description: declared.description }),
    parameters: [
      ...Object.entries(params).map(([name, schema]) => parameter('path', name, schema, true)),
      ...Object.entries(query).map(([name, schema]) =>
        name.endsWith('.*')
          ? describeGroup(name, schema)
          : parameter('query', name, schema, requiredQuery.includes(name)),
      ),
      ...Object.entries(headers).map(([name, schema]) => parameter('header', name, schema, false)),
    ],
    ...(body === undefined ? {} : { requestBody: describeBody(body) }),
    responses: { ...describeAnswers(declared), ...describeProblems(declared, definitions) },
  }
}

function parameter(where: string, name: string, schema: Schema, required: boolean): Json {
  const described = publicSchema(schema) as Json
  const { description, ...shape } = described
  return { name, in: where, required, ...(description ? { description } : {}), schema: shape }
}

/** `metadata.*`: an object whose members are parameters of their own. */
function describeGroup(name: string, schema: Schema): Json {
  const group = name.slice(0, -2)
  return {
    name: group,
    in: 'query',
    style: 'form',
    explode: true,
    description: `Any number of \`${group}.<key>=<value>\`, all of which must hold.`,
    schema: {
      type: 'object',
      patternProperties: { [`^${group}\\..+$`]: publicSchema(schema) },
      additionalProperties: false,
    },
  }
}

function describeBody(body: NonNullable<Operation['body']>): Json {
  if (!('lines' in body)) {
    const schema = publicSchema(body.schema)
    return { required: true, content: { 'application/json': { schema } } }
  }
  const { type, lines } = body
  return { required: true, content: { [type]: { schema: publicSchema(lines) } } }
}

function describeAnswers({ answers }: Operation): Json {
  const entries = Object.entries(answers).map(([status, answer]) => [status, describe(answer)])
  return Object.fromEntries(entries)
}

function describe({ description, schema, type = 'application/json' }: AnswerSchema): Json {
  if (schema === undefined) return { description }
  return { description, content: { [type]: { schema: publicSchema(schema) } } }
}

/** One answer a status, naming the codes that can occur under it. */
function describeProblems(declared: Operation, definitions: ProblemDefinitions): Json {
  const byStatus: Record<string, string[]> = {}
  for (const code of codesOf(declared)) {
    const status = definitions[code]?.status
    if (status === undefined || status in declared.answers) continue
    byStatus[status] = [...(byStatus[status] ?? []), code]
  }
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${definitions[code]?.title}`).join('\n\n'),
        ...(status === '503' && { headers: { 'Retry-After': retryAfter } }),
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    ]),
  )
}

/** Our own keyword `problem` becomes an extension, which OpenAPI allows. */
function publicSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(publicSchema)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key === 'problem' && typeof value === 'string' ? 'x-problem' : key,
      publicSchema(value),
    ]),
  )
}

const retryAfter: Json = {
  description: 'Seconds after which to send it again.',
  schema: { type: 'integer', examples: [1] },
}

const problemSchema: Json = {
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
}
