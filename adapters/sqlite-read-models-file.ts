import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { ReadModelsDamaged, ReadModelsUnavailable } from '../projections/read-model-store.ts'

/** Written into the header, so that another program's database is never taken for a read model. */
const applicationId = 0x45_56_52_4d
const formatVersion = 1

/** How long a statement waits for another connection's lock. */
export const busyTimeoutMs = 5_000

/**
 * Pages kept in memory: by a build that is kept level, where more gains little, as accounts are
 * touched at random; and by one that is being filled, which sorts its indexes in as much memory.
 */
const cacheKibibytes = { level: 16_384, filling: 65_536 }

/**
 * Opens a file of read models; where it is new it gets the schema. What it holds can be built again
 * from the log, so `synchronous = NORMAL`: a lost machine may lose the last batches, never tear one.
 * @throws {ReadModelsDamaged} @throws {ReadModelsUnavailable}
 */
export function openReadModelFile(
  path: string,
  { schema, readOnly }: { readonly schema: string; readonly readOnly: boolean },
): DatabaseSync {
  if (readOnly && !existsSync(path)) throw new ReadModelsUnavailable(`${path} is not there yet`)
  return guarded(path, () => {
    const db = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly })
    try {
      if (!readOnly) prepareForWriting(db, schema)
      else if (isEmpty(db)) throw new ReadModelsUnavailable(`${path} is only being made`)
      checkFormat(db, path)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

function prepareForWriting(db: DatabaseSync, schema: string): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0')
  db.exec(`PRAGMA cache_size = -${cacheKibibytes.level}`)
  db.exec('BEGIN IMMEDIATE')
  if (isEmpty(db)) {
    db.exec(schema)
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion}`)
  }
  db.exec('COMMIT')
}

const isEmpty = (db: DatabaseSync): boolean =>
  db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined

function checkFormat(db: DatabaseSync, path: string): void {
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  if (pragma('application_id') !== applicationId) {
    throw new ReadModelsDamaged(`${path} is a database, but not a read model of Evident; ${advice}`)
  }
  const version = Number(pragma('user_version'))
  if (version > formatVersion) {
    const known = `this program knows format ${formatVersion}`
    throw new ReadModelsDamaged(`${path} has the newer format ${version}, ${known}; ${advice}`)
  }
}

const advice = 'read models are disposable: delete the file, and it is built anew from the log'

/**
 * While a build is filled nobody reads it, and most of it is appended: a rollback journal writes such
 * pages once, a write-ahead log twice and with checksums. A commit is as safe in both.
 */
export function useFor(db: DatabaseSync, purpose: keyof typeof cacheKibibytes): void {
  db.exec(`PRAGMA journal_mode = ${purpose === 'filling' ? 'TRUNCATE' : 'WAL'}`)
  db.exec(`PRAGMA cache_size = -${cacheKibibytes[purpose]}`)
}

/** Runs a piece of database work, its errors translated into the port's. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw translated(path, error)
  }
}

function translated(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause
  if (cause.message === 'database is not open') {
    return new ReadModelsUnavailable(`${path} was closed`, { cause })
  }
  const resultCode = 'errcode' in cause ? Number(cause.errcode) & 0xff : undefined
  const reason = resultCode === undefined ? undefined : reasons[resultCode]
  if (reason === undefined) return cause
  const text = `${path}: ${reason} (${cause.message})`
  if (reason !== 'damaged') return new ReadModelsUnavailable(text, { cause })
  return new ReadModelsDamaged(`${text}; ${advice}`, { cause })
}

/** SQLite's primary result codes that are no fault of the statement. */
const reasons: Readonly<Record<number, string>> = {
  5: 'busy',
  6: 'locked',
  8: 'not writable',
  10: 'input or output failed',
  11: 'damaged',
  13: 'the disk is full',
  14: 'cannot be opened',
  26: 'damaged',
}
