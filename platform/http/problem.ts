import { STATUS_CODES } from 'node:http'
import { isDeepStrictEqual } from 'node:util'

/** What a code means, the same wherever it occurs. */
export interface ProblemDefinition {
  readonly status: number
  readonly title: string
  /** What the caller can do about it. */
  readonly advice: string
}

export type ProblemDefinitions = Readonly<Record<string, ProblemDefinition>>

export interface ProblemDetails {
  /** What is wrong with this request. It goes to the caller: nothing of the inside belongs here. */
  readonly detail?: string
  /** JSON pointer to the part of the body that is wrong. */
  readonly pointer?: string
  /** Name of the parameter, of the path or the query, that is wrong. */
  readonly parameter?: string
  /** Further members of the answer, such as the figures that differ. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** For the log only. */
  readonly cause?: unknown
}

/** An answer that is an error: thrown anywhere below a route, written as problem+json (RFC 9457). */
export class Problem extends Error {
  readonly code: string
  readonly definition: ProblemDefinition
  readonly details: ProblemDetails
  constructor(code: string, definition: ProblemDefinition, details: ProblemDetails = {}) {
    super(details.detail ?? definition.title, { cause: details.cause })
    this.code = code
    this.definition = definition
    this.details = details
  }
}

/** A function that makes the problems of one record of definitions, and of no other code. */
export const problemsOf =
  <D extends ProblemDefinitions>(definitions: D) =>
  (code: keyof D & string, details?: ProblemDetails): Problem => {
    const definition = definitions[code]
    if (!definition) throw new Error(`no problem is called ${code}`)
    return new Problem(code, definition, details)
  }

/** Several records as one. @throws where two of them mean different things by the same code */
export function mergeProblems(...records: readonly ProblemDefinitions[]): ProblemDefinitions {
  const merged: Record<string, ProblemDefinition> = {}
  for (const [code, definition] of records.flatMap((record) => Object.entries(record))) {
    const known = Object.hasOwn(merged, code) ? merged[code] : definition
    if (!isDeepStrictEqual(known, definition)) throw new Error(`${code} is defined in two ways`)
    if (!STATUS_CODES[definition.status]) throw new Error(`the problem ${code} has no HTTP status`)
    merged[code] = definition
  }
  return merged
}

export const problemPath = '/problems'

/** The body of the answer. */
export const problemBody = (problem: Problem, requestId: string): string => {
  const { code, definition, details } = problem
  return JSON.stringify({
    type: `${problemPath}/${code}`,
    title: definition.title,
    status: definition.status,
    code,
    detail: details.detail,
    pointer: details.pointer,
    parameter: details.parameter,
    ...details.members,
    requestId,
  })
}
