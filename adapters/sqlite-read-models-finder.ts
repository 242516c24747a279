import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { byId, type KeyValue } from '../projections/projection.ts'
import {
  maxExamined,
  type Page,
  type PageKey,
  type Query,
  type StoredDocument,
  UndeclaredQuery,
} from '../projections/read-model-store.ts'
import { type CollectionLayout, columnOf, type IndexLayout } from './sqlite-read-models-schema.ts'

/** Shapes of queries whose statements are kept; declarations allow only a few dozen. */
const maxStatements = 500

/** A row as an array: id, revision, body (null where a condition fails), then the page key's values. */
type Row = readonly [string, number, string | null, ...KeyValue[]]

/** Finds pages of a build's documents by its declared indexes. */
export function createFinder(
  db: DatabaseSync,
  layouts: ReadonlyMap<string, CollectionLayout>,
): (query: Query) => Page {
  const statements = new Map<string, StatementSync>()

  function prepare(sql: string): StatementSync {
    let statement = statements.get(sql)
    if (!statement) {
      statement = db.prepare(sql)
      statement.setReturnArrays(true)
      if (statements.size >= maxStatements) statements.clear()
      statements.set(sql, statement)
    }
    return statement
  }

  return (query) => {
    const layout = layouts.get(query.collection)
    if (!layout) throw new UndeclaredQuery(`no collection ${query.collection}`)
    const index = layout.indexes.find(({ name }) => name === query.index)
    if (!index && query.index !== byId) {
      throw new UndeclaredQuery(`${query.collection} has no index ${query.index}`)
    }
    const { sql, values } = planOf(query, layout, index)
    const rows = prepare(sql).iterate(...values) as unknown as Iterable<Row>
    return pageOf(rows, query.limit)
  }
}

/** Takes rows until the page is full; the row after it, if any, shows that there are more. */
function pageOf(rows: Iterable<Row>, limit: number): Page {
  const documents: StoredDocument[] = []
  let examined = 0
  let last: PageKey = []
  for (const [id, revision, body, ...rest] of rows) {
    if (documents.length === limit || examined === maxExamined) return { documents, next: last }
    examined += 1
    last = [...rest, id]
    if (body !== null) documents.push({ id, revision: BigInt(revision), body })
  }
  return { documents }
}

function planOf(query: Query, layout: CollectionLayout, index: IndexLayout | undefined) {
  const { direction = 'forward', equals, limit } = query
  const fields = index?.fields ?? []
  if (equals.length > fields.length) throw new UndeclaredQuery(`${query.index} has fewer fields`)
  const source = index?.manyOf === undefined ? 'd' : 'm'
  const inSource = (field: string) => `${source}.${columnOf(field)}`
  const rest = [...fields.slice(equals.length).map(inSource), `${source}.id`]

  const shown = conditionsOf(query, layout)
  const bounds = boundsOf(query, rest)
  const present = source === 'd' ? fields.map((field) => `${inSource(field)} IS NOT NULL`) : []
  const equal = fields.slice(0, equals.length).map((field) => `${inSource(field)} = ?`)
  const conditions = [...present, ...equal, ...bounds.conditions]
  const body = shown.sql === '' ? 'd.body' : `CASE WHEN ${shown.sql} THEN d.body END`
  const order = rest.map((column) => `${column} ${direction === 'forward' ? 'ASC' : 'DESC'}`)
  const from =
    source === 'm'
      ? `${index?.sqlName} AS m CROSS JOIN ${layout.table} AS d ON d.id = m.id`
      : `${layout.table} AS d INDEXED BY ${index?.sqlName ?? layout.idIndex}`
  const sql = `SELECT ${['d.id', 'd.revision', body, ...rest.slice(0, -1)]} FROM ${from}
    ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
    ORDER BY ${order} LIMIT ?`
  const most = shown.sql === '' ? Math.min(limit, maxExamined) + 1 : maxExamined + 1
  return { sql, values: [...shown.values, ...equals, ...bounds.values, most] }
}

/** Conditions on keys outside the index: a column of the document, or a row of an index's table. */
function conditionsOf({ where = {} }: Query, { indexes, columns, name }: CollectionLayout) {
  const values: KeyValue[] = []
  const parts = Object.entries(where).map(([field, value]) => {
    values.push(value)
    if (columns.includes(field)) return `d.${columnOf(field)} = ?`
    const index = indexes.find(({ manyOf }) => manyOf === field)
    if (!index) throw new UndeclaredQuery(`${name} has no key ${field}`)
    const row = index.fields.map((one) =>
      one === field ? `w.${columnOf(one)} = ?` : `w.${columnOf(one)} = d.${columnOf(one)}`,
    )
    const conditions = [...row, 'w.id = d.id'].join(' AND ')
    return `EXISTS (SELECT 1 FROM ${index.sqlName} AS w WHERE ${conditions})`
  })
  return { sql: parts.join(' AND '), values }
}

interface Bounds {
  readonly conditions: readonly string[]
  readonly values: readonly KeyValue[]
}

/** One lower and one upper bound, so that SQLite begins at the right place of the index. */
function boundsOf({ prefix, after, direction, ...query }: Query, rest: readonly string[]): Bounds {
  const first = rest[0] ?? ''
  const from = prefix ?? query.from
  const to = prefix === undefined ? query.to : endOfPrefix(prefix)
  const isForward = direction !== 'backward'
  if (after && after.length !== rest.length) throw new UndeclaredQuery('a page key does not fit')

  const begin = after?.[0]
  const isInside =
    begin !== undefined &&
    (isForward
      ? from === undefined || compareKeys(begin, from) >= 0
      : to === undefined || compareKeys(begin, to) < 0)
  const conditions: string[] = []
  const values: KeyValue[] = []
  const add = (condition: string, ...bound: readonly KeyValue[]) => {
    conditions.push(condition)
    values.push(...bound)
  }
  if (after && isInside) {
    const sign = isForward ? '>' : '<'
    add(`(${rest}) ${sign} (${rest.map(() => '?')})`, ...after)
  }
  if (from !== undefined && !(isForward && isInside)) add(`${first} >= ?`, from)
  if (to !== undefined && !(!isForward && isInside)) add(`${first} < ?`, to)
  return { conditions, values }
}

/** As SQLite compares them: numbers before texts, texts by their UTF-8 bytes. */
function compareKeys(a: KeyValue, b: KeyValue): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1
  return typeof b === 'number' ? 1 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The first text after all that begin with the prefix; none where every text does. */
export function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix]
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const next = (last.codePointAt(0) ?? 0) + 1
    if (next <= 0x10_ffff) {
      return points.join('') + String.fromCodePoint(next === 0xd800 ? 0xe000 : next)
    }
  }
  return undefined
}
