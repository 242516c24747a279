import type { Schema } from '../json-schema.ts'
import { describeProblems, problemExamples, problemSchema } from './describe-problems.ts'
import { type AnswerSchema, json, type Operation, operation } from './operation.ts'
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
    components: { schemas: { Problem: problemSchema }, examples: problemExamples(definitions) },
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
  const [example] = required ? examplesOf(schema) : [] // a page fills in what it finds here
  return {
    ...{ name, in: where, required, schema: shape },
    ...(description !== undefined && { description }),
    ...(example !== undefined && { example }),
  }
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
    return { required: true, content: { 'application/json': describeMedia(body.schema) } }
  }
  const { type, lines } = body
  return { required: true, content: { [type]: describeLines(lines) } }
}

function describeAnswers({ answers }: Operation): Json {
  const entries = Object.entries(answers).map(([status, answer]) => [status, describe(answer)])
  return Object.fromEntries(entries)
}

function describe({ description, schema, type = 'application/json' }: AnswerSchema): Json {
  if (schema === undefined) return { description }
  const media = type === 'application/x-ndjson' ? describeLines(schema) : describeMedia(schema)
  return { description, content: { [type]: media } }
}

/** The first example of a schema stands beside it too, where every reader of OpenAPI looks. */
function describeMedia(schema: Schema): Json {
  const [example] = examplesOf(schema)
  return { schema: publicSchema(schema), ...(example !== undefined && { example }) }
}

/** The schema is of one line, the example is a whole body. */
function describeLines(schema: Schema): Json {
  const lines = examplesOf(schema).map((line) => `${JSON.stringify(line)}\n`)
  return { schema: publicSchema(schema), ...(lines.length > 0 && { example: lines.join('') }) }
}

const examplesOf = (schema: Schema): readonly unknown[] =>
  typeof schema === 'object' && Array.isArray(schema.examples) ? schema.examples : []

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
