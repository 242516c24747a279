/** Reads a date's text by one pattern; `undefined` where it is no such date. */
export type ReadDate = (text: string) => FileDate | undefined

export interface FileDate {
  /** The day as the file has it, `1993-01-31`: it sorts, and rows are ordered within it. */
  readonly day: string
  /** The instant, UTC, with milliseconds. */
  readonly at: string
}

type Field = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond'

interface Token {
  /** `undefined`: the text stands for itself. */
  readonly field?: Field
  readonly text: string
  readonly shortest: number
  readonly longest: number
}

const fields: readonly (readonly [text: string, field: Field, shortest: number])[] = [
  ['YYYY', 'year', 4],
  ['YY', 'year', 2],
  ['MM', 'month', 2],
  ['M', 'month', 1],
  ['DD', 'day', 2],
  ['D', 'day', 1],
  ['HH', 'hour', 2],
  ['mm', 'minute', 2],
  ['ss', 'second', 2],
  ['SSS', 'millisecond', 3],
]

/** The largest file's days are few: their texts are remembered. */
const maxRememberedDates = 20_000

export interface DateStyle {
  readonly pattern: string
  readonly yearsFrom?: number
  readonly utcOffset?: string
}

/** Why a pattern cannot be used, or `undefined`. */
export function datePatternProblem({ pattern, yearsFrom }: DateStyle): string | undefined {
  const tokens = tokensOf(pattern)
  for (const field of ['year', 'month', 'day'] as const) {
    const count = tokens.filter((token) => token.field === field).length
    if (count !== 1) return `has to name the ${field} once`
  }
  const shortYear = tokens.some((token) => token.text === 'YY')
  if (shortYear && yearsFrom === undefined) return 'has YY, so `yearsFrom` has to say which century'
  if (!shortYear && yearsFrom !== undefined) return 'has no YY, so `yearsFrom` means nothing'
  return undefined
}

export function createReadDate(style: DateStyle): ReadDate {
  const tokens = tokensOf(style.pattern)
  const offsetMs = offsetOf(style.utcOffset)
  const remembered = new Map<string, FileDate | undefined>()
  return (text) => {
    const known = remembered.get(text)
    if (known || remembered.has(text)) return known
    const values = readTokens(text, tokens)
    const date = values && dateOf(values, style.yearsFrom, offsetMs)
    if (remembered.size < maxRememberedDates) remembered.set(text, date)
    return date
  }
}

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; ) {
    const found = fields.find(([text]) => pattern.startsWith(text, at))
    const text = found?.[0] ?? pattern.charAt(at)
    tokens.push(
      found
        ? { text, field: found[1], shortest: found[2], longest: Math.max(2, found[2]) }
        : { text, shortest: text.length, longest: text.length },
    )
    at += text.length
  }
  return tokens
}

function readTokens(text: string, tokens: readonly Token[]): Map<Field, number> | undefined {
  const values = new Map<Field, number>()
  let at = 0
  for (const { field, text: literal, shortest, longest } of tokens) {
    if (field === undefined) {
      if (!text.startsWith(literal, at)) return undefined
      at += literal.length
      continue
    }
    let length = 0
    while (length < longest && isDigit(text, at + length)) length += 1
    if (length < shortest) return undefined
    values.set(field, Number(text.slice(at, at + length)))
    at += length
  }
  return at === text.length ? values : undefined
}

function dateOf(
  values: ReadonlyMap<Field, number>,
  yearsFrom: number | undefined,
  offsetMs: number,
): FileDate | undefined {
  const value = (field: Field): number => values.get(field) ?? 0
  const year = fullYear(value('year'), yearsFrom)
  const [month, day, hour, minute, second] = [
    value('month'),
    value('day'),
    value('hour'),
    value('minute'),
    value('second'),
  ]
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59)
    return undefined
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, day)
  if (at.getUTCDate() !== day || at.getUTCMonth() !== month - 1) return undefined // 31 February
  const iso = at.toISOString().slice(0, 10)
  at.setUTCHours(hour, minute, second, value('millisecond'))
  return { day: iso, at: new Date(at.getTime() - offsetMs).toISOString() }
}

/** The year of the hundred that begin with `yearsFrom` which ends in these two digits. */
function fullYear(year: number, yearsFrom: number | undefined): number {
  if (yearsFrom === undefined) return year
  return yearsFrom + ((((year - yearsFrom) % 100) + 100) % 100)
}

function offsetOf(utcOffset: string | undefined): number {
  if (utcOffset === undefined) return 0
  const minutes = Number(utcOffset.slice(1, 3)) * 60 + Number(utcOffset.slice(4, 6))
  return (utcOffset.startsWith('-') ? -minutes : minutes) * 60_000
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}
