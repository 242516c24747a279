import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { DocumentKey, Keys, KeyValue } from '../projections/projection.ts'
import type { Changes, DocumentWrite } from '../projections/read-model-store.ts'
import { listName } from './sqlite-read-models-lists.ts'
import {
  type CollectionLayout,
  columnOf,
  type DeclaredCollection,
  type IndexLayout,
} from './sqlite-read-models-schema.ts'

export interface ChangeWriter {
  write(changes: Changes): readonly DocumentKey[]
  abandon(): void
}

/**
 * Writes changes in a transaction that lasts until there is progress, or something else that tells
 * how far the documents are. With deferred indexes final documents are appended blindly: as they and
 * progress are committed together, nothing comes again.
 */
export function createChangeWriter(
  db: DatabaseSync,
  collections: ReadonlyMap<string, DeclaredCollection>,
  { areIndexesDeferred }: { readonly areIndexesDeferred: boolean },
): ChangeWriter {
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

  const saveFurthest = db.prepare(
    `INSERT INTO furthest VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE
       SET log_id = excluded.log_id, stream = excluded.stream, revision = excluded.revision,
         position = excluded.position, id = excluded.id
       WHERE position < excluded.position`,
  )

  function writeAll(changes: Changes): readonly DocumentKey[] {
    const refused: DocumentKey[] = []
    const write = (document: DocumentWrite): boolean => {
      const writer = writers.get(document.collection)
      if (!writer) throw new Error(`no collection ${document.collection}`)
      return writer(document)
    }
    const { furthest } = changes
    if (furthest) {
      const { logId, stream, revision, position, id } = furthest
      saveFurthest.run(logId, stream, revision, position, id)
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

  const abandon = () => {
    if (db.isTransaction) db.exec('ROLLBACK')
  }
  return {
    abandon,
    write(changes) {
      if (!db.isTransaction) db.exec('BEGIN IMMEDIATE')
      try {
        const refused = writeAll(changes)
        if (isWhole(changes)) db.exec('COMMIT')
        return refused
      } catch (error) {
        abandon()
        throw error
      }
    },
  }
}

/** Whether anything tells how far the documents are; documents alone wait for what does. */
const isWhole = ({ progress, coverage, parked, unparked }: Changes): boolean =>
  coverage !== undefined || progress.length + parked.length + unparked.length > 0

/** Writes one document unless the stored one is as new; says whether it was written. */
type DocumentWriter = (document: DocumentWrite) => boolean

function prepareWriter(
  db: DatabaseSync,
  collection: DeclaredCollection,
  areIndexesDeferred: boolean,
): DocumentWriter {
  if (collection.layout.isFinal) return finalWriter(db, collection, areIndexesDeferred)
  return collection.layout.hasRows ? rowedWriter(db, collection) : plainWriter(db, collection)
}

function finalWriter(
  db: DatabaseSync,
  { declaration, layout }: DeclaredCollection,
  areIndexesDeferred: boolean,
): DocumentWriter {
  const insert = insertInto(layout, ['id', 'revision', ...layout.columns.map(columnOf), 'body'])
  const add = db.prepare(areIndexesDeferred ? insert : `${insert} ON CONFLICT (id) DO NOTHING`)
  const addToLists = listAdder(db, layout)
  const hasKeys = layout.indexes.length > 0
  const textOf = declaration.form?.write ?? JSON.stringify
  return ({ id, revision, body }) => {
    const keys = hasKeys ? declaration.keys(body) : {}
    const values = singleValues(layout, keys)
    const { changes, lastInsertRowid } = add.run(id, revision, ...values, textOf(body))
    if (changes > 0) addToLists(lastInsertRowid, keys)
    return true
  }
}

/** Adds a document to its lists, by its row; rows grow, so each is added at the end. */
function listAdder(db: DatabaseSync, { lists, indexes }: CollectionLayout) {
  if (lists === undefined) return () => undefined
  const growing = indexes.filter(({ grows }) => grows)
  const add = db.prepare(`INSERT INTO ${lists} (rowid, names) VALUES (?, ?)`)
  return (row: number | bigint, keys: Keys): void => {
    const names = growing.flatMap((index) =>
      rowsOf(index, keys).map((values) => listName(index.name, values.slice(0, -1))),
    )
    if (names.length > 0) add.run(row, names.join(' '))
  }
}

function plainWriter(
  db: DatabaseSync,
  { declaration, layout }: DeclaredCollection,
): DocumentWriter {
  const names = ['id', 'revision', ...layout.columns.map(columnOf), 'body']
  const upsert = db.prepare(`${insertInto(layout, names)} ${unlessAsNew(names)}`)
  const textOf = declaration.form?.write ?? JSON.stringify
  return ({ id, revision, body }) => {
    const keys = layout.columns.length > 0 ? declaration.keys(body) : {}
    return upsert.run(id, revision, ...singleValues(layout, keys), textOf(body)).changes > 0
  }
}

/** For documents with rows in tables of indexes: most writes leave those as they are. */
function rowedWriter(
  db: DatabaseSync,
  { declaration, layout }: DeclaredCollection,
): DocumentWriter {
  const columns = layout.columns.map(columnOf)
  const names = ['id', 'revision', ...columns, 'index_rows', 'body']
  const sets = [...columns, 'body', 'revision'].map((column) => `${column} = ?`)
  const update = db.prepare(
    `UPDATE ${layout.table} SET ${sets} WHERE id = ? AND revision < ? AND index_rows = ?`,
  )
  const upsert = db.prepare(`${insertInto(layout, names)} ${unlessAsNew(names)}`)
  const rowsBefore = db.prepare(`SELECT index_rows FROM ${layout.table} WHERE id = ?`)
  const indexes = layout.indexes.filter(({ manyOf }) => manyOf !== undefined)
  const replaceRows = indexes.map((index) => rowReplacer(db, index))
  const textOf = declaration.form?.write ?? JSON.stringify

  return ({ id, revision, body }) => {
    const keys = declaration.keys(body)
    const values = singleValues(layout, keys)
    const text = textOf(body)
    const rows = indexes.map((index) => rowsOf(index, keys))
    const rowsText = JSON.stringify(rows)
    if (update.run(...values, text, revision, id, revision, rowsText).changes > 0) return true
    const before = rowsBefore.get(id)?.index_rows
    if (upsert.run(id, revision, ...values, rowsText, text).changes === 0) return false
    const old = typeof before === 'string' ? (JSON.parse(before) as typeof rows) : []
    for (const [place, replaceIn] of replaceRows.entries()) {
      replaceIn(id, old[place] ?? [], rows[place] ?? [])
    }
    return true
  }
}

const insertInto = ({ table }: CollectionLayout, names: readonly string[]): string =>
  `INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`

function unlessAsNew(names: readonly string[]): string {
  const updates = names.slice(1).map((column) => `${column} = excluded.${column}`)
  return `ON CONFLICT (id) DO UPDATE SET ${updates} WHERE revision < excluded.revision`
}

const singleValues = ({ columns }: CollectionLayout, keys: Keys): readonly (KeyValue | null)[] =>
  columns.map((field) => singleValue(keys, field))

/** Removes the values a document no longer has and adds those that it has now. */
function rowReplacer(db: DatabaseSync, index: IndexLayout) {
  const add: StatementSync = db.prepare(
    `INSERT OR IGNORE INTO ${index.sqlName} VALUES (${[...index.fields, 'id'].map(() => '?')})`,
  )
  const conditions = [...index.fields.map(columnOf), 'id'].map((column) => `${column} = ?`)
  const remove = db.prepare(`DELETE FROM ${index.sqlName} WHERE ${conditions.join(' AND ')}`)
  return (id: string, old: readonly KeyValue[][], now: readonly KeyValue[][]): void => {
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
