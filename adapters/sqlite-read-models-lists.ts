import { createHash } from 'node:crypto'
import type { KeyValue } from '../projections/projection.ts'
import { type Query, UndeclaredQuery } from '../projections/read-model-store.ts'
import type { CollectionLayout, IndexLayout } from './sqlite-read-models-schema.ts'
import type { Prepare } from './sqlite-read-models-statements.ts'

/** A longer name is told by its hash: full-text search would cut it off at 32 KiB. */
const maxNameLength = 1_000

/** All but small letters, digits and what of `listNameCharacters` has no meaning of its own. */
const otherCharacters = /[^a-z0-9:/._=-]/gu

/**
 * The name of the list of an index that has the documents with these values: one word of full-text
 * search, which takes upper and lower case for the same. Different values make different names.
 */
export function listName(index: string, values: readonly KeyValue[]): string {
  const name = [index, ...values].map(wordOf).join('|')
  if (name.length <= maxNameLength) return name
  return `sha256|${createHash('sha256').update(name).digest('hex')}`
}

const wordOf = (value: KeyValue): string =>
  typeof value === 'number' ? `|${value}` : value.replace(otherCharacters, escaped)

const escaped = (character: string): string => `~${character.codePointAt(0)?.toString(16)}~`

/** Rows of the documents' table between which a page lies; both are left out. */
interface RowBounds {
  readonly above: number
  readonly below: number
}

/** The parts of a statement that finds documents, `d`, and its values. */
export interface FindPlan {
  readonly from: string
  readonly conditions: readonly string[]
  readonly order: string
  /** The page key's columns, but for the id. */
  readonly rest: readonly string[]
  readonly values: readonly KeyValue[]
}

/** Finds in the lists of one collection's growing indexes. Rows, revisions and places all agree. */
export function planInList(
  query: Query,
  { table, lists = '' }: CollectionLayout,
  index: IndexLayout,
  prepare: Prepare,
): FindPlan {
  const { equals, after, direction = 'forward' } = query
  if (equals.length !== index.fields.length - 1 || query.prefix !== undefined) {
    throw new UndeclaredQuery(`${index.name} lists by revision, for values of all other fields`)
  }
  if (after && after.length !== 2) throw new UndeclaredQuery('a page key does not fit')
  const match = `"${listName(index.name, equals)}"`
  const from = `${lists} AS l CROSS JOIN ${table} AS d ON d.row = l.rowid`
  const condition = `l.${lists} MATCH ? AND l.rowid > ? AND l.rowid < ?`

  /** The first row from which on all documents of the list have this revision or a later one. */
  function firstRowAt(revision: KeyValue): number {
    const first = prepare(
      `SELECT l.rowid, d.revision FROM ${from} WHERE ${condition} ORDER BY l.rowid LIMIT 1`,
    )
    let [before, at] = [0, afterLastRow()]
    while (at - before > 1) {
      const middle = Math.floor((before + at) / 2)
      const [row, found] = (first.get(match, middle - 1, at) ?? []) as readonly number[]
      if (row !== undefined && found !== undefined && found < Number(revision)) before = row
      else at = middle
    }
    return at
  }

  const afterLastRow = (): number => {
    const [last = 0] = (prepare(`SELECT row FROM ${table} ORDER BY row DESC LIMIT 1`).get() ??
      []) as readonly number[]
    return last + 1
  }

  function boundsOfPage(): RowBounds {
    const { above, below } = boundsOfRange()
    if (!after) return { above, below }
    const [revision = 0, id = ''] = after
    const [row] = (prepare(`SELECT row FROM ${table} WHERE id = ?`).get(id) ?? []) as number[]
    if (direction === 'backward') {
      return { above, below: Math.min(below, row ?? firstRowAt(revision)) }
    }
    return { above: Math.max(above, row ?? firstRowAt(Number(revision) + 1) - 1), below }
  }

  const boundsOfRange = (): RowBounds => ({
    above: query.from === undefined ? 0 : firstRowAt(query.from) - 1,
    below: query.to === undefined ? Number.MAX_SAFE_INTEGER : firstRowAt(query.to),
  })

  const { above, below } = boundsOfPage()
  const order = `l.rowid ${direction === 'forward' ? 'ASC' : 'DESC'}`
  const values = [match, above, below]
  return { from, conditions: [condition], order, rest: ['d.revision'], values }
}
