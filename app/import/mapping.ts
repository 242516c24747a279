import { Ajv, type ErrorObject } from 'ajv'
import { accountIdSchema, assetSchema } from '../../events/shapes.ts'
import { datePatternProblem } from './date-pattern.ts'
import { mappingReferences } from './mapping-references.ts'
import { type Mapping, mappingSchema } from './mapping-schema.ts'
import type { FileStyle } from './read-csv.ts'

export interface MappingProblem {
  /** JSON pointer into the mapping. */
  readonly pointer: string
  readonly message: string
}

/** A mapping file that cannot be used, with everything that is wrong with it. */
export class InvalidMapping extends Error {
  readonly code = 'INVALID_MAPPING'
  readonly problems: readonly MappingProblem[]
  constructor(problems: readonly MappingProblem[]) {
    super(problems.map(({ pointer, message }) => `${pointer || '/'}: ${message}`).join('\n'))
    this.problems = problems
  }
}

const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true })
ajv.addKeyword({ keyword: 'problem', schemaType: 'string' })

/** A mapping as it was read, before the file's columns are known. */
export interface ReadMapping {
  readonly value: unknown
  /** How to read the file's header; `undefined` where that part of the mapping is itself wrong. */
  readonly file: FileStyle | undefined
  readonly schemaProblems: readonly MappingProblem[]
}

/** @throws {InvalidMapping} where the text is not JSON */
export function readMapping(text: string): ReadMapping {
  const value = parseJson(text)
  const isMapping = ajv.compile<Mapping>(mappingSchema)
  const schemaProblems = isMapping(value) ? [] : problemsOf(isMapping.errors ?? [])
  const encoding = encodingProblem(value)
  const problems = encoding ? [...schemaProblems, encoding] : schemaProblems
  const readable = !problems.some(({ pointer }) => pointer === '' || pointer.startsWith('/file'))
  return { value, file: readable ? fileStyle(value) : undefined, schemaProblems: problems }
}

/**
 * The mapping, checked against the file's columns where they could be read.
 * @throws {InvalidMapping} with all that is wrong
 */
export function checkMapping(
  { value, schemaProblems }: ReadMapping,
  columns: readonly string[] | undefined,
): Mapping {
  const references = mappingReferences(value)
  const problems = [
    ...schemaProblems,
    ...references.problems,
    ...(columns ? columnProblems(references.columns, columns) : []),
  ]
  if (schemaProblems.length === 0) problems.push(...meaningProblems(value as Mapping))
  if (problems.length > 0) throw new InvalidMapping(problems)
  return value as Mapping // its schema has no problem left
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidMapping([{ pointer: '', message: `is not JSON: ${message}` }])
  }
}

/** Errors inside the branches of an `anyOf` say less than the `anyOf` itself. */
function problemsOf(errors: readonly ErrorObject[]): readonly MappingProblem[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf')
  return errors
    .filter(
      (error) =>
        error.keyword !== 'propertyNames' &&
        !unions.some(
          (union) => union !== error && error.schemaPath.startsWith(`${union.schemaPath}/`),
        ),
    )
    .map((error) => ({ pointer: error.instancePath, message: messageOf(error) }))
}

function messageOf({ keyword, message, params, propertyName }: ErrorObject): string {
  const allowed: unknown = params.allowedValues
  if (propertyName !== undefined) return `has the name ${JSON.stringify(propertyName)}: ${message}`
  if (keyword === 'additionalProperties') return `has an unknown field ${params.additionalProperty}`
  if (keyword === 'anyOf') return 'must be a list of values, "empty" or "not-empty"'
  if (Array.isArray(allowed))
    return `must be one of ${allowed.map((a) => JSON.stringify(a)).join(', ')}`
  return message ?? 'is not valid'
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** Only called where the schema found no fault in this part. */
const fileStyle = (value: unknown): FileStyle => (member(value, 'file') ?? {}) as FileStyle

function encodingProblem(value: unknown): MappingProblem | undefined {
  const encoding = member(member(value, 'file'), 'encoding')
  if (typeof encoding !== 'string') return undefined
  try {
    new TextDecoder(encoding)
    return undefined
  } catch {
    return {
      pointer: '/file/encoding',
      message: `${JSON.stringify(encoding)} is no known encoding`,
    }
  }
}

function columnProblems(
  used: readonly { readonly pointer: string; readonly column: string }[],
  columns: readonly string[],
): readonly MappingProblem[] {
  const there = `the file has ${columns.map((name) => JSON.stringify(name)).join(', ')}`
  return used.flatMap(({ pointer, column }) => {
    const count = columns.filter((name) => name === column).length
    if (count === 1) return []
    const fault =
      count === 0
        ? `there is no column ${JSON.stringify(column)}`
        : `${count} columns are called ${JSON.stringify(column)}`
    return { pointer, message: `${fault}; ${there}` }
  })
}

const accountId = new RegExp(accountIdSchema.pattern)
const assetId = new RegExp(assetSchema.pattern)

/** What the schema cannot say: parts that need or exclude each other. */
function meaningProblems(mapping: Mapping): readonly MappingProblem[] {
  const { amount, asset, date, file, numbers, runningBalance: running } = mapping
  const problems: MappingProblem[] = []
  const add = (pointer: string, message: string): number => problems.push({ pointer, message })

  const forms = [
    amount.column !== undefined && amount.direction !== undefined,
    amount.column !== undefined && amount.positive !== undefined,
    amount.inColumn !== undefined && amount.outColumn !== undefined,
  ].filter(Boolean).length
  const parts = ['column', 'direction', 'positive', 'inColumn', 'outColumn'] as const
  if (forms !== 1 || parts.filter((part) => amount[part] !== undefined).length !== 2) {
    add(
      '/amount',
      'needs `column` and `direction`, or `column` and `positive`, or `inColumn` and `outColumn`',
    )
  }
  const both = amount.direction?.in.filter((value) => amount.direction?.out.includes(value)) ?? []
  if (both.length > 0) add('/amount/direction', `has ${both.join(', ')} both as in and as out`)

  const pattern = datePatternProblem(date)
  if (pattern) add('/date/pattern', pattern)
  if ((numbers?.decimal ?? '.') === numbers?.thousands) {
    add('/numbers/thousands', 'is the same as the decimal separator')
  }
  if (file?.quote !== undefined && file.quote === (file.separator ?? ',')) {
    add('/file/quote', 'is the same as the separator')
  }
  if (!asset.includes('{') && !assetId.test(asset))
    add('/asset', `${asset} is no asset, such as CZK/2`)
  if (BigInt(running?.tolerance ?? '0') > 0n && running?.roundingAccount === undefined) {
    add('/runningBalance', 'has a tolerance, so it needs a roundingAccount')
  }
  for (const name of ['roundingAccount', 'openingAccount'] as const) {
    const account = running?.[name]
    if (account !== undefined && !accountId.test(account)) {
      add(`/runningBalance/${name}`, `${account} is no account address`)
    }
  }
  return problems
}
