import type { CollectionDeclaration, IndexDeclaration } from '../projections/projection.ts'
import { byId } from '../projections/projection.ts'

/** What names of lists are made of, beside small letters and digits. */
export const listNameCharacters = '~|:/._=-'

/** What every build has beside its documents. */
export const buildSchema = `
  CREATE TABLE declaration (text TEXT NOT NULL) STRICT;
  CREATE TABLE progress (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE parked (
    stream TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    reason TEXT NOT NULL,
    parked_at TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE coverage (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log_id TEXT NOT NULL,
    position TEXT NOT NULL,
    level_at TEXT NOT NULL
  ) STRICT;
`

/** Made where a file is opened for writing: those of earlier programs do not have it. */
export const furthestSchema = `
  CREATE TABLE IF NOT EXISTS furthest (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    position TEXT NOT NULL,
    id TEXT NOT NULL
  ) STRICT;
`

/** How one collection lies in its build's file. Names come from declarations only, and are checked. */
export interface CollectionLayout {
  readonly name: string
  readonly isFinal: boolean
  /**
   * The documents: `id, revision, body` and a column for each of `columns`; where `hasRows`, also
   * `index_rows`, the rows it has in tables of indexes, by which a write sees whether they change.
   */
  readonly table: string
  readonly idIndex: string
  /** Fields with one value: they stand in the documents' own table. */
  readonly columns: readonly string[]
  readonly indexes: readonly IndexLayout[]
  readonly hasRows: boolean
  /** The lists of documents of all indexes that grow; only where there are some. */
  readonly lists: string | undefined
}

/** A collection as a projection declares it, and how it lies in the file. */
export interface DeclaredCollection {
  readonly declaration: CollectionDeclaration
  readonly layout: CollectionLayout
}

export interface IndexLayout extends IndexDeclaration {
  /** The SQL index or, where a field has several values, the table that serves as one. */
  readonly sqlName: string
}

export function layoutOf(collection: CollectionDeclaration): CollectionLayout {
  const { name, isFinal } = collection
  const indexes = collection.indexes.map((index) => {
    if (index.name === byId) throw new Error(`${name}: the index ${byId} is there already`)
    if (index.manyOf !== undefined && !index.fields.includes(index.manyOf)) {
      throw new Error(`${name}.${index.name} has no field ${index.manyOf}`)
    }
    const isList = isFinal && index.grows === true
    if (isFinal && index.manyOf !== undefined && !isList) {
      throw new Error(`${name}.${index.name} is of final documents: it has to grow`)
    }
    const kind = isList ? 'list' : index.manyOf === undefined ? 'by' : 'many'
    return { ...index, grows: isList, sqlName: identifier(`${kind}_`, name, index.name) }
  })
  const singles = indexes
    .filter(({ grows }) => !grows)
    .flatMap(({ fields, manyOf }) => fields.filter((one) => one !== manyOf))
  return {
    name,
    isFinal,
    table: identifier('documents_', name),
    idIndex: identifier('id_', name),
    columns: [...new Set(singles)],
    indexes,
    hasRows: !isFinal && indexes.some(({ manyOf }) => manyOf !== undefined),
    lists: indexes.some(({ grows }) => grows) ? identifier('lists_', name) : undefined,
  }
}

export const columnOf = (field: string): string => identifier('key_', field)

/** A quoted SQL name. @throws where a part is no plain name */
function identifier(prefix: string, ...parts: readonly string[]): string {
  for (const part of parts) {
    if (!/^[a-z][a-zA-Z0-9_-]*$/.test(part)) throw new Error(`"${part}" cannot name a table`)
  }
  return `"${prefix}${parts.join('.')}"`
}

export function tablesOf(layout: CollectionLayout): string {
  const { table, columns, idIndex, indexes, isFinal, hasRows, lists } = layout
  const keys = columns.map((field) => `${columnOf(field)} ANY,`).join(' ')
  const statements = [
    `CREATE TABLE IF NOT EXISTS ${table}
       (row INTEGER PRIMARY KEY, id TEXT NOT NULL, revision INTEGER NOT NULL, ${keys}
        ${hasRows ? 'index_rows TEXT NOT NULL,' : ''} body TEXT NOT NULL) STRICT`,
    ...indexes.filter(({ grows, manyOf }) => !grows && manyOf !== undefined).map(manyTableOf),
  ]
  if (lists) statements.push(listsTableOf(lists))
  if (!isFinal) statements.push(idIndexOf(table, idIndex)) // a write has to find what is there
  return statements.join(';')
}

export function indexesOf({ table, idIndex, indexes }: CollectionLayout): string {
  const declared = indexes
    .filter(({ grows, manyOf }) => !grows && manyOf === undefined)
    .map(({ sqlName, fields }) => {
      const columns = fields.map(columnOf)
      const present = columns.map((column) => `${column} IS NOT NULL`).join(' AND ')
      return `CREATE INDEX IF NOT EXISTS ${sqlName} ON ${table} (${columns.join()}, id)
                WHERE ${present}`
    })
  return [idIndexOf(table, idIndex), ...declared].join(';')
}

const idIndexOf = (table: string, index: string): string =>
  `CREATE UNIQUE INDEX IF NOT EXISTS ${index} ON ${table} (id)`

function manyTableOf({ sqlName, fields }: IndexLayout): string {
  const columns = fields.map(columnOf)
  return `CREATE TABLE IF NOT EXISTS ${sqlName} (${columns.map((one) => `${one} ANY NOT NULL`)},
            id TEXT NOT NULL, PRIMARY KEY (${columns}, id)) STRICT, WITHOUT ROWID`
}

/** An inverted index: the names of a document's lists are its words, its row is its place in them. */
const listsTableOf = (table: string): string =>
  `CREATE VIRTUAL TABLE IF NOT EXISTS ${table} USING fts5(names, content = '', columnsize = 0,
     detail = none, tokenize = "ascii tokenchars '${listNameCharacters}'")`
