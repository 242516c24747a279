import { Problem } from '../platform/http/problem.ts'
import type { Request } from '../platform/http/request.ts'
import { compile, type Schema } from '../platform/json-schema.ts'
import { failureProblems } from './problems.ts'

/**
 * A caller's name of a command, in the header of a request and in the line of a bulk. It has no `/`:
 * the lines that a bulk names are `<key>/<number>`, which no caller can have written.
 */
export const idempotencyKeySchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$',
  examples: ['order-1001'],
  problem: 'invalid-idempotency-key',
} as const satisfies Schema

const keyForm = failureProblems['invalid-idempotency-key'].advice

const isKey = compile(idempotencyKeySchema)

/** The caller's idempotency key, bare or as a quoted string. @throws {Problem} */
export function idempotencyKeyOf(request: Request): string | undefined {
  const given = request.header('idempotency-key')
  if (given === undefined) return undefined
  const key = given.startsWith('"') && given.endsWith('"') ? given.slice(1, -1) : given
  if (isKey(key)) return key
  const code = 'invalid-idempotency-key'
  const detail = `The header Idempotency-Key has another form. ${keyForm}`
  throw new Problem(code, failureProblems[code], { detail, parameter: 'Idempotency-Key' })
}
