/** One figure of a benchmark, as `npm run bench -- --json` prints it, one object a line. */
export interface Result {
  readonly name: string
  /** Median of the repeats. */
  readonly value: number
  readonly unit: string
  /** The repeats' lowest and highest. */
  readonly spread: readonly [number, number]
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly ratio?: number
  /** Further figures by name, stated beside the main one. */
  readonly also?: Readonly<Record<string, number>>
}

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits))

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

export const spreadOf = (values: readonly number[]): readonly [number, number] => [
  Math.min(...values),
  Math.max(...values),
]

/** The value below which the given part (0 to 1) of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export const print = (result: Result): void => console.log(JSON.stringify(result))
