import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type {
  CollectionDeclaration,
  DocumentBody,
  DocumentKey,
  Keys,
  KeyValue,
} from '../projections/projection.ts'
import type { Changes, DocumentWrite } from '../projections/read-model-store.ts'
import { type CollectionLayout, columnOf, type IndexLayout } from './sqlite-read-models-schema.ts'

export interface WrittenCollection {
  readonly declaration: CollectionDeclaration
  readonly layout: CollectionLayout
}

/**
 * Writes changes as one transaction. With deferred indexes, final documents are appended blindly:
 * nothing can be repeated, because documents and progress are one transaction here.
 */
export function createChangeWriter(
  db: DatabaseSync,
  collections: ReadonlyMap<string, WrittenCollection>,
  { areIndexesDeferred }: { readonly areIndexesDeferred: boolean },
): (changes: Changes) => readonly DocumentKey[] {
  const writers = new Map(
    [...collections].map(([name, one]) => [name, prepareWriter(db, one, areIndexesDeferred)]),
  )
  const park = db.prepare(
    `INSERT INTO parked VALUES (?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE
       SET revision = excluded.revision, reason = excluded.reason, parked_at = excluded.parked_at`,
  )
  const unpark = db.prepare('DELETE FROM parked WHERE stream = ?')
  const saveProgress = db.prepare(
    `INSERT INTO progress VALUES (?, ?) ON CONFLICT (stream) DO UPDATE
       SET revision = excluded.revision WHERE revision < excluded.revision`,
  )
  const saveCoverage = db.prepare(
    `INSERT INTO coverage VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE
       SET log_id = excluded.log_id, position = excluded.position, level_at = excluded.level_at`,
  )

  function writeAll(changes: Changes): readonly DocumentKey[] {
    const refused: DocumentKey[] = []
    const write = (document: DocumentWrite): boolean => {
      const writer = writers.get(document.collection)
      if (!writer) throw new Error(`no collection ${document.collection}`)
      return writer(document)
    }
    for (const final of changes.finals) write(final)
    for (const document of changes.documents) if (!write(document)) refused.push(document)
    for (const { stream, revision, reason, parkedAt } of changes.parked) {
      park.run(stream, revision, reason, parkedAt)
    }
    for (const stream of changes.unparked) unpark.run(stream)
    for (const { stream, revision } of changes.progress) saveProgress.run(stream, revision)
    const { coverage } = changes
    if (coverage) saveCoverage.run(coverage.logId, coverage.position, coverage.levelAt)
    return refused
  }

  return (changes) => {
    db.exec('BEGIN IMMEDIATE')
    try {
      const refused = writeAll(changes)
      db.exec('COMMIT')
      return refused
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

/** Writes one document unless the stored one is as new; says whether it was written. */
type DocumentWriter = (document: DocumentWrite) => boolean

function prepareWriter(
  db: DatabaseSync,
  { declaration, layout }: WrittenCollection,
  areIndexesDeferred: boolean,
): DocumentWriter {
  const { table, columns, isFinal } = layout
  const names = ['id', 'revision', ...columns.map(columnOf), 'body']
  const insert = `INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`
  const many = layout.indexes.filter(({ manyOf }) => manyOf !== undefined)
  const addRows = many.map((index) => rowAdder(db, index, isFinal && areIndexesDeferred))

  const bind = (document: DocumentWrite, keys: Keys) => [
    document.id,
    Number(document.revision),
    ...columns.map((field) => singleValue(keys, field)),
    JSON.stringify(document.body),
  ]

  if (isFinal) {
    const ignoring = areIndexesDeferred ? insert : `${insert} ON CONFLICT (id) DO NOTHING`
    const add = db.prepare(ignoring)
    return (document) => {
      const keys = declaration.keys(document.body)
      add.run(...bind(document, keys))
      for (const addTo of addRows) addTo(document.id, keys)
      return true
    }
  }

  const updates = names.slice(1).map((column) => `${column} = excluded.${column}`)
  const upsert = db.prepare(
    `${insert} ON CONFLICT (id) DO UPDATE SET ${updates} WHERE revision < excluded.revision`,
  )
  const bodyBefore = db.prepare(`SELECT body FROM ${table} WHERE id = ?`)
  const replaceRows = many.map((index) => rowReplacer(db, index))
  return (document) => {
    const before = many.length > 0 ? bodyBefore.get(document.id)?.body : undefined
    const keys = declaration.keys(document.body)
    if (upsert.run(...bind(document, keys)).changes === 0) return false
    if (many.length === 0) return true
    const keysBefore = typeof before === 'string' ? declaration.keys(parseBody(before)) : {}
    for (const replaceIn of replaceRows) replaceIn(document.id, keysBefore, keys)
    return true
  }
}

const parseBody = (text: string): DocumentBody => JSON.parse(text) as DocumentBody

function rowAdder(db: DatabaseSync, index: IndexLayout, isStaged: boolean) {
  const values = [...index.fields, 'id'].map(() => '?')
  const target = isStaged ? index.staging : index.sqlName
  const add = db.prepare(`INSERT OR IGNORE INTO ${target} VALUES (${values})`)
  return (id: string, keys: Keys): void => {
    for (const row of rowsOf(index, keys)) add.run(...row, id)
  }
}

/** Removes the values a document no longer has and adds those that it has now. */
function rowReplacer(db: DatabaseSync, index: IndexLayout) {
  const add: StatementSync = db.prepare(
    `INSERT OR IGNORE INTO ${index.sqlName} VALUES (${[...index.fields, 'id'].map(() => '?')})`,
  )
  const conditions = [...index.fields.map(columnOf), 'id'].map((column) => `${column} = ?`)
  const remove = db.prepare(`DELETE FROM ${index.sqlName} WHERE ${conditions.join(' AND ')}`)
  return (id: string, before: Keys, after: Keys): void => {
    const old = rowsOf(index, before)
    const now = rowsOf(index, after)
    const isIn = (rows: readonly KeyValue[][], row: readonly KeyValue[]) =>
      rows.some((one) => one.every((value, place) => value === row[place]))
    for (const row of old) if (!isIn(now, row)) remove.run(...row, id)
    for (const row of now) if (!isIn(old, row)) add.run(...row, id)
  }
}

/** A row for each of the document's values; none where it lacks a field. */
function rowsOf({ fields, manyOf }: IndexLayout, keys: Keys): KeyValue[][] {
  let rows: KeyValue[][] = [[]]
  for (const field of fields) {
    if (field === manyOf) {
      const value = keys[field]
      const values: readonly KeyValue[] =
        value === undefined ? [] : typeof value === 'object' ? value : [value]
      rows = rows.flatMap((row) => values.map((one) => [...row, one]))
    } else {
      const value = singleValue(keys, field)
      if (value === null) return []
      for (const row of rows) row.push(value)
    }
  }
  return rows
}

function singleValue(keys: Keys, field: string): KeyValue | null {
  const value = keys[field]
  if (typeof value === 'object') throw new Error(`the key ${field} has several values`)
  return value ?? null
}
