import type { Schema } from '../json-schema.ts'
import type { EdgeProblem } from './edge-problems.ts'
import type { Operation } from './operation.ts'

const always: readonly EdgeProblem[] = [
  'headers-too-large',
  'host-not-allowed',
  'internal-error',
  'invalid-request',
  'not-acceptable',
  'too-many-connections',
  'unexpected-body',
]
const ofQuery: readonly EdgeProblem[] = [
  'invalid-parameter',
  'invalid-query',
  'repeated-parameter',
  'unknown-parameter',
]
const ofAnyBody: readonly EdgeProblem[] = [
  'body-cut-short',
  'compressed-body',
  'request-timeout',
  'unsupported-media-type',
]
const ofJsonBody: readonly EdgeProblem[] = [
  'body-too-large',
  'duplicate-key',
  'escaped-key',
  'forbidden-key',
  'invalid-body',
  'invalid-json',
  'invalid-number',
  'invalid-unicode',
  'invalid-utf8',
  'json-too-deep',
  'missing-field',
  'unknown-field',
]

/** Every code that an operation can answer: its own, those of its schemas, those of the edge. */
export function codesOf(operation: Operation): readonly string[] {
  const { body, params = {}, query = {}, headers = {}, problems = [] } = operation
  const codes = new Set<string>([...always, ...ofQuery, ...problems])
  if (operation.requiredQuery) codes.add('missing-parameter')
  for (const schemas of [params, query, headers]) addCodes(schemas, codes)
  if (body !== undefined) {
    codes.delete('unexpected-body')
    for (const code of ofAnyBody) codes.add(code)
    if (!('lines' in body)) {
      for (const code of ofJsonBody) codes.add(code)
      addCodes(body.schema, codes)
    }
  }
  return [...codes].sort()
}

/** `problem` occurs at any depth of a schema, and only there. */
function addCodes(schema: Schema | unknown, codes: Set<string>): void {
  if (typeof schema !== 'object' || schema === null) return
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'problem' && typeof value === 'string') codes.add(value)
    else addCodes(value, codes)
  }
}
