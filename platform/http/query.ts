import { compileUntyped, type Schema, type SchemaViolation } from '../json-schema.ts'
import type { MakeProblem } from './app.ts'
import { problem } from './edge-problems.ts'
import type { QuerySchemas } from './operation.ts'
import type { Problem } from './problem.ts'

type Parameters = Record<string, unknown>

interface QueryDeclaration {
  readonly query?: QuerySchemas
  readonly requiredQuery?: readonly string[]
}

/**
 * Reads a query string strictly: each parameter is declared, occurs once and has its schema's
 * shape. Values are texts; `integer` and `boolean` schemas make them numbers and booleans.
 */
export function createQueryReader(
  { query = {}, requiredQuery = [] }: QueryDeclaration,
  makeProblem: MakeProblem,
): (queryString: string) => Parameters {
  const groups = Object.keys(query).filter((name) => name.endsWith('.*'))
  const readers = new Map(Object.entries(query).map(([name, schema]) => [name, readerOf(schema)]))
  const defaults = defaultsOf(query)
  const isValid = compileUntyped(objectSchema(query, requiredQuery))

  const read = (name: string, text: string, into: Parameters): void => {
    const group = groups.find((candidate) => name.startsWith(candidate.slice(0, -1)))
    const reader = readers.get(group ?? name)
    if (!reader || name.endsWith('.*')) throw refused('unknown-parameter', name)
    const target = group === undefined ? into : groupOf(into, group.slice(0, -2))
    const key = group === undefined ? name : name.slice(group.length - 1)
    if (Object.hasOwn(target, key)) throw refused('repeated-parameter', name)
    target[key] = reader(text)
  }

  return (queryString) => {
    const given: Parameters = {}
    if (queryString !== '') {
      for (const pair of queryString.split('&')) {
        const equals = pair.indexOf('=')
        const name = decode(equals < 0 ? pair : pair.slice(0, equals))
        read(name, equals < 0 ? '' : decode(pair.slice(equals + 1)), given)
      }
    } else if (requiredQuery.length === 0) return defaults
    if (!isValid(given)) throw queryProblem(isValid.violation(), makeProblem)
    return { ...defaults, ...given }
  }
}

/** A key such as `__proto__` must not reach anything but the record itself. */
function groupOf(parameters: Parameters, name: string): Parameters {
  const group = parameters[name] as Parameters | undefined
  if (group) return group
  const fresh: Parameters = Object.create(null)
  parameters[name] = fresh
  return fresh
}

const refusals = {
  'unknown-parameter': 'is not known here',
  'repeated-parameter': 'occurs more than once',
} as const

const refused = (code: keyof typeof refusals, parameter: string): Problem =>
  problem(code, {
    parameter,
    detail: `The parameter ${JSON.stringify(parameter)} ${refusals[code]}.`,
  })

function queryProblem(violation: SchemaViolation, makeProblem: MakeProblem): Problem {
  const parameter = parameterIn(violation)
  if (violation.kind === 'missing-field') {
    return problem('missing-parameter', { parameter, detail: `Give the parameter ${parameter}.` })
  }
  const { message } = violation
  return makeProblem(violation.problem ?? 'invalid-parameter', { parameter, message })
}

/** `limit`, and `metadata.a/b` where a group has such a key. */
function parameterIn({ pointer }: SchemaViolation): string {
  const parts = pointer.slice(1).split('/')
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw problem('invalid-query', { cause })
  }
}

function readerOf(schema: Schema): (text: string) => unknown {
  const type = typeof schema === 'object' ? schema.type : undefined
  if (type === 'integer') return (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text)
  if (type === 'boolean')
    return (text) => (text === 'true' ? true : text === 'false' ? false : text)
  return (text) => text
}

function defaultsOf(query: QuerySchemas): Readonly<Parameters> {
  const defaults: Parameters = {}
  for (const [name, schema] of Object.entries(query)) {
    if (typeof schema === 'object' && schema.default !== undefined) defaults[name] = schema.default
  }
  return Object.freeze(defaults)
}

function objectSchema(query: QuerySchemas, required: readonly string[]): Schema {
  const properties: Record<string, Schema> = {}
  for (const [name, schema] of Object.entries(query)) {
    if (!name.endsWith('.*')) properties[name] = schema
    else properties[name.slice(0, -2)] = { type: 'object', additionalProperties: schema }
  }
  return { type: 'object', properties, required: [...required], additionalProperties: false }
}

/** Checks path parameters, each against its schema. */
export function createParamsChecker(
  params: QuerySchemas,
  makeProblem: MakeProblem,
): (given: unknown) => void {
  const isValid = compileUntyped({
    type: 'object',
    properties: { ...params },
    required: Object.keys(params),
    additionalProperties: false,
  })
  return (given) => {
    if (isValid(given)) return
    const violation = isValid.violation()
    const { message } = violation
    const fault = { parameter: parameterIn(violation), message }
    throw makeProblem(violation.problem ?? 'invalid-parameter', fault)
  }
}
