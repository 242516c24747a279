import type { DatabaseSync } from 'node:sqlite'
import {
  byId,
  type CollectionDeclaration,
  type DocumentBody,
  type KeyValue,
} from '../projections/projection.ts'
import {
  maxExamined,
  type Page,
  type PageKey,
  type Query,
  type StoredDocument,
  UndeclaredQuery,
} from '../projections/read-model-store.ts'
import { type FindPlan, planInList } from './sqlite-read-models-lists.ts'
import {
  type CollectionLayout,
  columnOf,
  type DeclaredCollection,
  type IndexLayout,
} from './sqlite-read-models-schema.ts'
import { createPrepare } from './sqlite-read-models-statements.ts'

/** A row as an array: id, revision, body (null where a condition fails), then the page key's values. */
type Row = readonly [string, number, string | null, ...KeyValue[]]

/** Finds pages of a build's documents by its declared indexes. */
export function createFinder(
  db: DatabaseSync,
  collections: ReadonlyMap<string, DeclaredCollection>,
): (query: Query) => Page {
  const prepare = createPrepare(db)

  return (query) => {
    const collection = collections.get(query.collection)
    if (!collection) throw new UndeclaredQuery(`no collection ${query.collection}`)
    const { layout, declaration } = collection
    const index = layout.indexes.find(({ name }) => name === query.index)
    if (!index && query.index !== byId) {
      throw new UndeclaredQuery(`${query.collection} has no index ${query.index}`)
    }
    const shown = conditionsOf(query, layout)
    const { from, conditions, order, rest, values } = index?.grows
      ? planInList(query, layout, index, prepare)
      : planInIndex(query, layout, index)
    const body = shown.sql === '' ? 'd.body' : `CASE WHEN ${shown.sql} THEN d.body END`
    const sql = `SELECT ${['d.id', 'd.revision', body, ...rest]} FROM ${from}
      ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} ORDER BY ${order} LIMIT ?`
    const isFiltered = query.where !== undefined
    const most = (isFiltered ? maxExamined : Math.min(query.limit, maxExamined)) + 1
    const statement = prepare(sql)
    const given = [...shown.values, ...values, most]
    // all at once is quicker; what is examined for few to be shown is taken one by one
    const rows = isFiltered ? statement.iterate(...given) : statement.all(...given)
    const isShown = (text: string, id: string) => hasKeys(declaration, { id, text }, shown.keys)
    return pageOf(rows as unknown as Iterable<Row>, query.limit, isShown)
  }
}

/** Takes rows until the page is full; the row after it, if any, shows that there are more. */
function pageOf(
  rows: Iterable<Row>,
  limit: number,
  isShown: (text: string, id: string) => boolean,
): Page {
  const documents: StoredDocument[] = []
  let examined = 0
  let last: Row | undefined
  for (const row of rows) {
    const isFull = documents.length === limit || examined === maxExamined
    if (isFull && last !== undefined) return { documents, next: keyOf(last) }
    examined += 1
    last = row
    const [id, revision, body] = row
    if (body === null || !isShown(body, id)) continue
    documents.push({ id, revision: BigInt(revision), body })
  }
  return { documents }
}

const keyOf = ([id, _revision, _body, ...rest]: Row): PageKey => [...rest, id]

function planInIndex(
  query: Query,
  layout: CollectionLayout,
  index: IndexLayout | undefined,
): FindPlan {
  const { direction = 'forward', equals } = query
  const fields = index?.fields ?? []
  if (equals.length > fields.length) throw new UndeclaredQuery(`${query.index} has fewer fields`)
  const source = index?.manyOf === undefined ? 'd' : 'm'
  const inSource = (field: string) => `${source}.${columnOf(field)}`
  const rest = [...fields.slice(equals.length).map(inSource), `${source}.id`]

  const bounds = boundsOf(query, rest)
  const present = source === 'd' ? fields.map((field) => `${inSource(field)} IS NOT NULL`) : []
  const equal = fields.slice(0, equals.length).map((field) => `${inSource(field)} = ?`)
  const order = rest.map((column) => `${column} ${direction === 'forward' ? 'ASC' : 'DESC'}`)
  const from =
    source === 'm'
      ? `${index?.sqlName} AS m CROSS JOIN ${layout.table} AS d ON d.id = m.id`
      : `${layout.table} AS d INDEXED BY ${index?.sqlName ?? layout.idIndex}`
  return {
    ...{ from, order: order.join(), rest: rest.slice(0, -1) },
    conditions: [...present, ...equal, ...bounds.conditions],
    values: [...equals, ...bounds.values],
  }
}

/**
 * Conditions on keys outside the index: a column of the document, a row of an index's table, or,
 * where the key is only in lists, what the document found says itself.
 */
function conditionsOf({ where = {} }: Query, { indexes, columns, name }: CollectionLayout) {
  const values: KeyValue[] = []
  const parts: string[] = []
  const keys: [string, KeyValue][] = []
  for (const [field, value] of Object.entries(where)) {
    const table = indexes.find(({ manyOf, grows }) => manyOf === field && !grows)
    const isColumn = columns.includes(field)
    const condition = isColumn ? `d.${columnOf(field)} = ?` : table && isInTable(table, field)
    if (condition !== undefined) {
      parts.push(condition)
      values.push(value)
    } else if (indexes.some(({ fields }) => fields.includes(field))) {
      keys.push([field, value])
    } else {
      throw new UndeclaredQuery(`${name} has no key ${field}`)
    }
  }
  return { sql: parts.join(' AND '), values, keys }
}

function isInTable({ fields, sqlName }: IndexLayout, field: string): string {
  const row = fields.map((one) =>
    one === field ? `w.${columnOf(one)} = ?` : `w.${columnOf(one)} = d.${columnOf(one)}`,
  )
  return `EXISTS (SELECT 1 FROM ${sqlName} AS w WHERE ${[...row, 'w.id = d.id'].join(' AND ')})`
}

function hasKeys(
  { keys, form }: CollectionDeclaration,
  { id, text }: { readonly id: string; readonly text: string },
  wanted: readonly (readonly [string, KeyValue])[],
): boolean {
  if (wanted.length === 0) return true
  const found = keys(form ? form.read(text, id) : (JSON.parse(text) as DocumentBody))
  return wanted.every(([field, value]) => {
    const values = found[field]
    return typeof values === 'object' ? values.includes(value) : values === value
  })
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
