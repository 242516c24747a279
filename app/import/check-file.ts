import { createMapRow, type MapRow } from './map-row.ts'
import { checkMapping, type ReadMapping } from './mapping.ts'
import type { Mapping } from './mapping-schema.ts'
import type { Movement } from './movement.ts'
import { type CsvRow, readCsv } from './read-csv.ts'
import { orderByDay, type Reconciliation, reconcile } from './reconcile.ts'
import type { RowProblem } from './row-problem.ts'

/** Rows of one import, which are held in memory to be put in order; split a longer file by year. */
export const maxRows = 2_000_000

/** A file that has been read, and all that is wrong with it. */
export interface CheckedFile {
  readonly mapping: Mapping
  readonly reconciled: Reconciliation
  /** By line. A row that could not be read has its problem here and no movement. */
  readonly problems: readonly RowProblem[]
  readonly rowsRead: number
  readonly skippedByRule: number
  readonly withoutAmount: number
}

/**
 * Reads a CSV by its mapping and checks every row, before anything is sent.
 * @throws {InvalidMapping} with all that is wrong, also with columns the file has not
 */
export async function checkFile(
  path: string,
  read: ReadMapping,
  onProgress: (bytes: number) => void = () => {},
): Promise<CheckedFile> {
  const { mapping, rows, problems } = await readRows(path, read, onProgress)
  const reconciled = reconcileRows(mapping, rows.movements)
  if (mapping.runningBalance) problems.push(...bookedTwice(rows.movements))
  problems.push(...reconciled.problems)
  problems.sort((a, b) => a.line - b.line)
  const { rowsRead, skippedByRule, withoutAmount } = rows
  return { mapping, reconciled, problems, rowsRead, skippedByRule, withoutAmount }
}

interface Rows {
  readonly movements: Movement[]
  rowsRead: number
  skippedByRule: number
  withoutAmount: number
}

async function readRows(
  path: string,
  read: ReadMapping,
  onProgress: (bytes: number) => void,
): Promise<{ readonly mapping: Mapping; readonly rows: Rows; readonly problems: RowProblem[] }> {
  const rows: Rows = { movements: [], rowsRead: 0, skippedByRule: 0, withoutAmount: 0 }
  const problems: RowProblem[] = []
  const given = read.file?.columns
  if (!read.file || given) checkMapping(read, given) // there is no header to wait for
  let mapping = given && checkMapping(read, given)
  let add = mapping && given && createAdd(createMapRow(mapping, given), rows, problems)

  for await (const piece of readCsv(path, read.file)) {
    for (const row of piece.rows) {
      if (add) add(row)
      else {
        mapping = checkMapping(read, row.fields)
        add = createAdd(createMapRow(mapping, row.fields), rows, problems)
      }
    }
    if (piece.problem) problems.push(piece.problem)
    onProgress(piece.bytes)
    if (rows.rowsRead > maxRows) {
      const detail = `the file has more than ${maxRows} rows; split it, by year or by account`
      problems.push({ line: maxRows, code: 'too-many-rows', detail })
      break
    }
  }
  if (!mapping) {
    mapping = checkMapping(read, undefined)
    if (problems.length === 0) {
      problems.push({ line: 1, code: 'file-empty', detail: 'the file has no header row' })
    }
  }
  return { mapping, rows, problems }
}

/** Takes rows in the file's order; an id that comes twice is a problem of the second row. */
function createAdd(mapRow: MapRow, rows: Rows, problems: RowProblem[]): (row: CsvRow) => void {
  const lineOfId = new Map<string, number>()
  return (row) => {
    rows.rowsRead += 1
    const mapped = mapRow(row)
    if ('problem' in mapped) problems.push(mapped.problem)
    else if ('skipped' in mapped) {
      if (mapped.skipped === 'by-rule') rows.skippedByRule += 1
      else rows.withoutAmount += 1
    } else {
      const { id, line } = mapped.movement
      const earlier = lineOfId.get(id)
      if (earlier === undefined) {
        lineOfId.set(id, line)
        rows.movements.push(mapped.movement)
      } else {
        const detail = `the id ${id} is also that of line ${earlier}`
        problems.push({ line, code: 'id-repeated', detail })
      }
    }
  }
}

function reconcileRows(
  { runningBalance }: Mapping,
  movements: readonly Movement[],
): Reconciliation {
  if (runningBalance) {
    const { tolerance = '0', openingAccount } = runningBalance
    const opening = openingAccount === undefined ? 'zero' : 'from-first-row'
    return reconcile(movements, { tolerance: BigInt(tolerance), opening })
  }
  return {
    movements: orderByDay(movements).map((movement) => ({ movement, rounding: 0n })),
    openings: [],
    problems: [],
    balancesChecked: 0,
    reordered: 0,
  }
}

/** A move between two accounts of the file has a row for each: only one of them may be booked. */
function bookedTwice(movements: readonly Movement[]): readonly RowProblem[] {
  const accounts = new Set(movements.map(({ account }) => account))
  return movements.flatMap(({ line, account, counterAccount }) =>
    accounts.has(counterAccount)
      ? {
          line,
          account,
          code: 'counter-account-in-file' as const,
          detail: `${counterAccount} has rows of its own here, which would book this a second time; a rule can lead both to a clearing account`,
        }
      : [],
  )
}
