import type { SchemaViolation, Validator } from '../json-schema.ts'
import { JsonRefused, parseStrictJson } from '../strict-json.ts'
import type { MakeProblem } from './app.ts'
import { problem } from './edge-problems.ts'

/** Reads text as strict JSON of one shape. @throws {Problem} */
export function createJsonReader(
  isValid: Validator<unknown>,
  makeProblem: MakeProblem,
  maxDepth: number,
): (text: string) => unknown {
  return (text) => {
    const value = parse(text, maxDepth)
    if (isValid(value)) return value
    const violation = isValid.violation()
    const { pointer, message } = violation
    throw makeProblem(codeOf(violation), { pointer, message })
  }
}

/** The stable code of what is wrong with a body. */
export function codeOf({ kind, problem: named }: SchemaViolation): string {
  if (kind !== 'wrong-value') return kind
  return named ?? 'invalid-body'
}

function parse(text: string, maxDepth: number): unknown {
  try {
    return parseStrictJson(text, { maxDepth })
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error
    throw problem(error.code, { detail: error.message, cause: error })
  }
}
