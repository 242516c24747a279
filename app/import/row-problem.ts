/** Everything that can be wrong with a row, or with the file at a row. */
export const rowProblemCodes = [
  'file-empty',
  'file-cut',
  'quote-not-closed',
  'quote-misplaced',
  'bytes-not-decodable',
  'row-too-long',
  'too-many-rows',
  'too-few-fields',
  'too-many-fields',
  'date-not-valid',
  'amount-empty',
  'amount-not-a-number',
  'amount-too-precise',
  'amount-too-large',
  'amount-zero',
  'amount-on-both-sides',
  'direction-unknown',
  'asset-not-valid',
  'account-not-valid',
  'account-ambiguous',
  'counter-account-missing',
  'same-account',
  'counter-account-in-file',
  'id-not-valid',
  'id-repeated',
  'reference-not-valid',
  'metadata-not-valid',
  'balance-differs',
  'order-not-found',
] as const

export type RowProblemCode = (typeof rowProblemCodes)[number]

/** A row that cannot be imported as it is, and why. */
export interface RowProblem {
  /** 1-based line of the file. */
  readonly line: number
  readonly code: RowProblemCode
  /** What is wrong, with the value and the column, in words. */
  readonly detail: string
  readonly account?: string
  /** The balance by the rows before and this one, and the balance the file gives, in smallest units. */
  readonly expected?: string
  readonly found?: string
}
