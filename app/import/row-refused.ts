import type { RowProblemCode } from './row-problem.ts'

/** Ends the mapping of one row; `createMapRow` turns it into the row's problem. */
export class RowRefused extends Error {
  readonly code: RowProblemCode
  constructor(code: RowProblemCode, detail: string) {
    super(detail)
    this.code = code
  }
}

/** A value as a report shows it: on one line, and not endless. */
export const quoted = (value = ''): string =>
  JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
