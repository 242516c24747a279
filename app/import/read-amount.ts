import { type NumberStyle, parseAmount } from './amount.ts'
import type { Mapping } from './mapping-schema.ts'
import { quoted, RowRefused } from './row-refused.ts'

/** A number of a row, in smallest units of an asset with so many decimals. */
export type ReadNumber<T> = (fields: readonly string[], decimals: number) => T

/** The amount into the account; negative where it goes out. */
export function createReadAmount(mapping: Mapping, columns: readonly string[]): ReadNumber<bigint> {
  const { amount } = mapping
  const style = styleOf(mapping)
  const read = (fields: readonly string[], column: string, decimals: number): bigint =>
    exactly(fields[columns.indexOf(column)] ?? '', decimals, style, column)
  const refuseZero = (units: bigint): bigint => {
    if (units === 0n && amount.zero !== 'skip') throw new RowRefused('amount-zero', 'moves nothing')
    return units
  }

  const { column, direction, inColumn = '', outColumn = '' } = amount
  if (column !== undefined && direction) {
    const [inValues, outValues] = [new Set(direction.in), new Set(direction.out)]
    const directionIndex = columns.indexOf(direction.column)
    return (fields, decimals) => {
      const units = read(fields, column, decimals)
      if (units < 0n) {
        const detail = `${quoted(fields[columns.indexOf(column)])} has a sign, and ${direction.column} a direction`
        throw new RowRefused('amount-not-a-number', detail)
      }
      const value = fields[directionIndex] ?? ''
      if (inValues.has(value)) return refuseZero(units)
      if (outValues.has(value)) return refuseZero(-units)
      const detail = `${direction.column} is ${quoted(value)}, which is neither in nor out`
      throw new RowRefused('direction-unknown', detail)
    }
  }
  if (column !== undefined) {
    const sign = amount.positive === 'out' ? -1n : 1n
    return (fields, decimals) => refuseZero(sign * read(fields, column, decimals))
  }
  const [inIndex, outIndex] = [columns.indexOf(inColumn), columns.indexOf(outColumn)]
  return (fields, decimals) => {
    const into = (fields[inIndex] ?? '').trim() !== ''
    if (into && (fields[outIndex] ?? '').trim() !== '') {
      throw new RowRefused('amount-on-both-sides', `${inColumn} and ${outColumn} both have a value`)
    }
    const units = read(fields, into ? inColumn : outColumn, decimals)
    return refuseZero(into ? units : -(units < 0n ? -units : units)) // some write what goes out with a minus
  }
}

export function createReadBalance(
  mapping: Mapping,
  columns: readonly string[],
): ReadNumber<bigint | undefined> {
  const column = mapping.runningBalance?.column
  if (column === undefined) return () => undefined
  const index = columns.indexOf(column)
  const style = styleOf(mapping)
  return (fields, decimals) => exactly(fields[index] ?? '', decimals, style, column)
}

const styleOf = ({ numbers }: Mapping): NumberStyle => ({
  decimal: numbers?.decimal ?? '.',
  thousands: numbers?.thousands ?? '',
})

function exactly(text: string, decimals: number, style: NumberStyle, column: string): bigint {
  const units = parseAmount(text, decimals, style)
  if (typeof units === 'bigint') return units
  throw new RowRefused(units, `${column} is ${quoted(text)}, with ${decimals} decimals at most`)
}
