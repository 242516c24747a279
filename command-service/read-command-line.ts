import { shapeProblems } from '../events/shape-problems.ts'
import type { ProblemDefinitions } from '../platform/http/problem.ts'
import { codeOf } from '../platform/http/read-json.ts'
import { compileUntyped, type Validator } from '../platform/json-schema.ts'
import { JsonRefused, parseStrictJson } from '../platform/strict-json.ts'
import type { LedgerCommand } from './domain/ledger/commands.ts'
import { InvalidTime, lineSchemas, postTransactionOf } from './ledger-command.ts'
import { failureProblems } from './problems.ts'
import type { Line } from './split-lines.ts'

/** A line that is no command. It spoils no other line. */
export class LineRefused extends Error {
  readonly code: string
  /** JSON pointer to what is wrong. */
  readonly pointer: string | undefined
  constructor(code: string, message: string, pointer?: string) {
    super(message)
    this.code = code
    this.pointer = pointer
  }
}

export interface CommandLine {
  readonly command: LedgerCommand
  /** As the client sent it, without what only names the line. */
  readonly content: unknown
  /** Its idempotency key; a transaction with an id of its own needs none. */
  readonly key: string | undefined
}

export interface LineNaming {
  /** The request's idempotency key: names lines that have neither id nor key. */
  readonly keyPrefix: string | undefined
  readonly newTransactionId: () => string
}

const validators = new Map<unknown, Validator<unknown>>(
  Object.entries(lineSchemas).map(([type, schema]) => [type, compileUntyped(schema)]),
)

/** What must be, by the codes that the shapes of a line name. */
const advices: ProblemDefinitions = { ...shapeProblems, ...failureProblems }

/** Reads the bulk's line of the given number. @throws {LineRefused} */
export function readCommandLine(
  line: Line,
  number: number,
  { keyPrefix, newTransactionId }: LineNaming,
): CommandLine {
  if (line === 'line-too-long') throw new LineRefused(line, 'the line is longer than is allowed')
  if (line === 'invalid-utf8') throw new LineRefused(line, 'the line is not UTF-8')
  const value = parse(line)
  const isValid = validators.get(value.type)
  if (!isValid) throw new LineRefused('unknown-command', 'no command is of this type', '/type')
  if (!isValid(value)) {
    const violation = isValid.violation()
    const { pointer, message } = violation
    const code = codeOf(violation)
    const advice = advices[code]?.advice ?? ''
    throw new LineRefused(code, `${pointer || 'The line'} ${message}. ${advice}`.trimEnd(), pointer)
  }
  const { key: ownKey, type, ...body } = value as LedgerCommand & { readonly key?: string }
  const content = { ...body, type } as LedgerCommand // in canonical order the hash costs less
  const hasId = 'id' in content
  const key = ownKey ?? (hasId || keyPrefix === undefined ? undefined : `${keyPrefix}/${number}`)
  if (key === undefined && !hasId) {
    throw new LineRefused('line-without-key', 'give the line an `id` or a `key`')
  }
  return { command: complete(content, newTransactionId), content, key }
}

function parse(line: string): { readonly type?: unknown } {
  try {
    const value = parseStrictJson(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error
    throw new LineRefused(error.code, error.message)
  }
  throw new LineRefused('invalid-body', 'the line is not a JSON object')
}

function complete(content: LedgerCommand, newTransactionId: () => string): LedgerCommand {
  if (content.type !== 'PostTransaction') return content
  try {
    return postTransactionOf(content, newTransactionId)
  } catch (error) {
    if (!(error instanceof InvalidTime)) throw error
    throw new LineRefused(error.code, error.message, '/effectiveAt')
  }
}
