import { CsvError, type Parser, parse } from 'csv-parse'
import { decodeFile, UndecodableBytes } from './decode-file.ts'
import type { Mapping } from './mapping-schema.ts'
import type { RowProblem, RowProblemCode } from './row-problem.ts'

export interface CsvRow {
  /** 1-based line of the file on which the row begins. */
  readonly line: number
  readonly fields: readonly string[]
}

/** What a piece of the file held: rows in order, then what is wrong with the file, if it ends it. */
export interface CsvPiece {
  readonly rows: readonly CsvRow[]
  readonly problem?: RowProblem
  /** Bytes of the file read up to here. */
  readonly bytes: number
}

export type FileStyle = NonNullable<Mapping['file']>

/** A longer row is refused: most likely a quote in it is never closed. */
export const maxRowBytes = 1_000_000

/**
 * The rows of a CSV, a piece of the file at a time, so that memory does not grow with it; header
 * and rows of a wrong length among them. A quote that is never closed, bytes that cannot be decoded
 * and a last row without its line end are the problem of the last piece, and every row that stands
 * whole before is there.
 */
export async function* readCsv(path: string, style: FileStyle = {}): AsyncIterable<CsvPiece> {
  const { skipLines = 0, lastLineEnd = 'required' } = style
  const { parser, rows, nextLine } = startParsing(style)
  const skip = createSkipLines(skipLines)
  let bytes = 0
  let last = ''
  let problem: RowProblem | undefined
  try {
    for await (const chunk of decodeFile(path, style.encoding ?? 'utf-8')) {
      bytes = chunk.bytes
      last = chunk.text.at(-1) ?? last
      await write(parser, skip(chunk.text))
      yield { rows: rows.splice(0), bytes }
    }
    await finish(parser)
  } catch (error) {
    problem = problemOf(error, nextLine())
    if (error instanceof UndecodableBytes) await releaseRows(parser, rows, last)
  }
  if (bytes === 0) problem ??= { line: 1, code: 'file-empty', detail: 'the file is empty' }
  if (!problem && lastLineEnd === 'required' && last !== '\n') problem = cutProblem(rows.pop())
  yield { rows: rows.splice(0), bytes, ...(problem && { problem }) }
}

interface Parsing {
  readonly parser: Parser
  /** Rows that are parsed; whoever takes them empties it. */
  readonly rows: CsvRow[]
  /** The line on which the next row would begin. */
  readonly nextLine: () => number
}

function startParsing({
  separator = ',',
  quote = '"',
  trim = false,
  skipLines = 0,
}: FileStyle): Parsing {
  const rows: CsvRow[] = []
  let linesOfRows = 0 // counted here: the parser counts CRLF within quotes twice
  const nextLine = (): number => 1 + skipLines + linesOfRows + parser.info.empty_lines
  const parser = parse({
    delimiter: separator,
    quote: quote === '' ? null : quote,
    escape: quote === '' ? null : quote,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    on_record: (fields: string[]) => {
      rows.push({ line: nextLine(), fields: trim ? fields.map((field) => field.trim()) : fields })
      linesOfRows += 1
      for (const field of fields) linesOfRows += lineEndsIn(field)
      return null // nothing goes through the stream itself, so an error loses no row before it
    },
  })
  parser.on('error', () => {}) // every error also reaches the callback of `write` or `end`
  parser.resume()
  return { parser, rows, nextLine }
}

function lineEndsIn(field: string): number {
  let count = 0
  for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) count += 1
  return count
}

/** Drops the text of the first lines, however it comes in pieces. */
function createSkipLines(count: number): (text: string) => string {
  let left = count
  return (text) => {
    let rest = text
    while (left > 0) {
      const end = rest.indexOf('\n')
      if (end === -1) return ''
      rest = rest.slice(end + 1)
      left -= 1
    }
    return rest
  }
}

const write = (parser: Parser, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    parser.write(text, (error) => (error ? reject(error) : resolve()))
  })

const finish = (parser: Parser): Promise<void> =>
  new Promise((resolve, reject) => {
    parser.once('error', reject)
    parser.once('end', resolve)
    parser.end()
  })

/** The parser holds a row back for what may follow; of the one that is cut here nothing is kept. */
async function releaseRows(parser: Parser, rows: CsvRow[], last: string): Promise<void> {
  try {
    await finish(parser)
    if (last !== '\n') rows.pop()
  } catch (error) {
    if (!(error instanceof CsvError)) throw error // cut within quotes, it became no row
  }
}

const cutProblem = (row: CsvRow | undefined): RowProblem => ({
  line: row?.line ?? 1,
  code: 'file-cut',
  detail:
    'the last row has no line end, so it may be cut; if this bank writes its files so, set file.lastLineEnd to "optional"',
})

const parserProblems: Readonly<Record<string, readonly [RowProblemCode, string]>> = {
  CSV_QUOTE_NOT_CLOSED: [
    'quote-not-closed',
    'a quote in this row is never closed: the file is cut, or the quote is not one',
  ],
  CSV_INVALID_CLOSING_QUOTE: ['quote-misplaced', 'text follows a closing quote in this row'],
  INVALID_OPENING_QUOTE: [
    'quote-misplaced',
    'a quote stands inside a value that has none around it',
  ],
  CSV_MAX_RECORD_SIZE: [
    'row-too-long',
    `the row is longer than ${maxRowBytes} bytes: perhaps a quote in it is never closed`,
  ],
}

/** @throws what is no fault of the file's content */
function problemOf(error: unknown, line: number): RowProblem {
  if (error instanceof UndecodableBytes) {
    return { line: error.line, code: 'bytes-not-decodable', detail: error.message }
  }
  const known = error instanceof CsvError ? parserProblems[error.code] : undefined
  if (!known) throw error
  return { line, code: known[0], detail: `${known[1]}; nothing after it was read` }
}
