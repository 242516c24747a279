import type { CollectionDeclaration } from '../projections/projection.ts'
import {
  type Build,
  type Coverage,
  type Parked,
  type Progress,
  ReadModelsDamaged,
  ReadModelsUnavailable,
  type StoredDocument,
  UndeclaredQuery,
} from '../projections/read-model-store.ts'
import { createCheckpoints } from './sqlite-read-models-checkpoints.ts'
import { guarded, openReadModelFile, useFor } from './sqlite-read-models-file.ts'
import { createFinder } from './sqlite-read-models-finder.ts'
import { withRevision } from './sqlite-read-models-revision.ts'
import {
  buildSchema,
  type DeclaredCollection,
  furthestSchema,
  indexesOf,
  layoutOf,
  tablesOf,
} from './sqlite-read-models-schema.ts'
import { createChangeWriter } from './sqlite-read-models-writer.ts'

export interface SqliteBuild extends Build {
  close(): void
}

export interface OpenSqliteBuild {
  readonly path: string
  readonly name: string
  readonly collections: readonly CollectionDeclaration[]
  readonly readOnly: boolean
  readonly deferIndexes: boolean
  /** Runs what changes something that readers may see. */
  readonly changing: <T>(work: () => T) => T
}

/** One file: the documents of a build, its progress, what is parked, how far it covers the log. */
export function openSqliteBuild(options: OpenSqliteBuild): SqliteBuild {
  const { path, name, collections, readOnly, changing } = options
  const declared = new Map(
    collections.map((declaration) => {
      return [declaration.name, { declaration, layout: layoutOf(declaration) }]
    }),
  )
  const layouts = [...declared.values()].map(({ layout }) => layout)
  const db = openReadModelFile(path, { schema: buildSchema, readOnly })
  const run = <T>(work: () => T): T => guarded(path, work)

  function declare(): void {
    const text = JSON.stringify(layouts)
    const before = db.prepare('SELECT text FROM declaration').get()?.text
    if (before === text) return
    if (before !== undefined) {
      const advice = 'a changed projection needs a new version, or delete the file'
      throw new ReadModelsDamaged(`${path} was made by other declarations: ${advice}`)
    }
    if (readOnly) throw new ReadModelsUnavailable(`${path} is only being made`)
    db.exec(['BEGIN IMMEDIATE', ...layouts.map(tablesOf)].join(';'))
    db.prepare('INSERT INTO declaration VALUES (?)').run(text)
    db.exec('COMMIT')
  }

  const areIndexesMissing = () => layouts.some(({ idIndex }) => !isThere(idIndex))
  const isThere = (sqlName: string): boolean =>
    db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(sqlName.slice(1, -1)) !== undefined

  function makeIndexes(): void {
    db.exec('BEGIN IMMEDIATE')
    try {
      for (const layout of layouts) db.exec(indexesOf(layout))
      db.exec('COMMIT')
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  const checkpoints = createCheckpoints(db, path)
  function close(): void {
    checkpoints.stop()
    db.close()
  }

  return run(() => {
    try {
      declare()
      if (!readOnly) db.exec(furthestSchema)
      if (!readOnly && !options.deferIndexes) makeIndexes()
      if (!readOnly && areIndexesMissing()) useFor(db, 'filling')
      return { name, ...readerOf(db, run, declared), ...writerOf(), close }
    } catch (error) {
      db.close()
      throw error
    }
  })

  function writerOf(): Pick<Build, 'write' | 'abandon' | 'completeIndexes'> {
    let writer = readOnly ? undefined : prepareWriter()
    return {
      async write(changes) {
        if (!writer) throw new Error(`${path} was opened for reading`)
        run(checkpoints.beforeWrite)
        const refused = changing(() => run(() => writer?.write(changes) ?? []))
        checkpoints.afterWrite(changes.finals.length + changes.documents.length)
        return refused
      },
      abandon: async () => changing(() => run(() => writer?.abandon())),
      async completeIndexes() {
        changing(() => run(makeIndexes))
        run(() => useFor(db, 'level'))
        writer = prepareWriter()
      },
    }
  }

  function prepareWriter() {
    return createChangeWriter(db, declared, { areIndexesDeferred: areIndexesMissing() })
  }
}

type DocumentRow = readonly [string, number, string]

function readerOf(
  db: ReturnType<typeof openReadModelFile>,
  run: <T>(work: () => T) => T,
  collections: ReadonlyMap<string, DeclaredCollection>,
): Omit<Build, 'name' | 'write' | 'abandon' | 'completeIndexes'> {
  const getters = new Map(
    [...collections].map(([name, { layout }]) => {
      const statement = db.prepare(`SELECT id, revision, body FROM ${layout.table} WHERE id = ?`)
      statement.setReturnArrays(true)
      return [name, statement]
    }),
  )
  const find = createFinder(db, collections)
  const progressOf = db.prepare('SELECT revision FROM progress WHERE stream = ?')
  const allProgress = db.prepare('SELECT stream, revision FROM progress ORDER BY stream')
  const columns = 'stream, revision, reason, parked_at AS parkedAt'
  const allParked = db.prepare(`SELECT ${columns} FROM parked ORDER BY stream`)
  const parkedOf = db.prepare(`SELECT ${columns} FROM parked WHERE stream = ?`)
  const coverageOf = db.prepare(
    'SELECT log_id AS logId, position, level_at AS levelAt FROM coverage',
  )

  const asStored = (row: unknown): StoredDocument | undefined => {
    if (row === undefined) return undefined
    const [id, revision, body] = row as DocumentRow
    return { id, revision: BigInt(revision), body }
  }
  return {
    async get(collection, ids) {
      const getter = getters.get(collection)
      if (!getter) throw new UndeclaredQuery(`no collection ${collection}`)
      return run(() => ids.map((id) => asStored(getter.get(id))))
    },
    find: async (query) => run(() => find(query)),
    async progress(stream) {
      const revision = run(() => progressOf.get(stream))?.revision
      return revision === undefined ? undefined : BigInt(Number(revision))
    },
    allProgress: async () => run(() => allProgress.all()).map(withRevision<Progress>),
    async parked(stream) {
      const rows = run(() => (stream === undefined ? allParked.all() : parkedOf.all(stream)))
      return rows.map(withRevision<Parked>)
    },
    coverage: async () => run(() => coverageOf.get()) as Coverage | undefined,
  }
}
