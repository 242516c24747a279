import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import {
  bytesOf,
  DamagedLog,
  maxBatchBytes,
  type NewEvent,
  type RecordedEvent,
} from '../events/event-store.ts'

/** Written into the file's header, so that another program's database is never taken for a log. */
const applicationId = 0x45_56_44_54
const formatVersion = 1

const schema = `
  CREATE TABLE streams (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES streams (key),
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
  CREATE TRIGGER events_keep BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;
  CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are final'); END;
  CREATE TRIGGER streams_keep BEFORE UPDATE ON streams BEGIN SELECT RAISE(ABORT, 'streams are final'); END;
  CREATE TRIGGER streams_stay BEFORE DELETE ON streams BEGIN SELECT RAISE(ABORT, 'streams are final'); END;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`

/** Pages of the write-ahead log after which it is copied into the database: 16 MiB. */
const checkpointPages = 4_000

/**
 * The connection that appends. It makes the tables where the file is new. What an earlier connection
 * wrote but may not have brought to the disk is brought there first, before anybody can see it; on a
 * full disk that is left out unless `mustHarden`.
 * @throws {DamagedLog}
 */
export function openLogForWriting(path: string, { mustHarden = false } = {}): DatabaseSync {
  const db = open(path)
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`)
    db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA foreign_keys = ON`)
    db.exec('BEGIN IMMEDIATE')
    if (isEmpty(db)) db.exec(schema)
    else checkFormat(db, path)
    db.exec('COMMIT')
    harden(db, mustHarden)
    return db
  } catch (error) {
    db.close()
    throw asDamage(error, path)
  }
}

/** Copies the write-ahead log into the database, with an fsync: after a failed one nothing else tells. */
function harden(db: DatabaseSync, mustHarden: boolean): void {
  try {
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? {}
    if (busy !== 0) throw new Error('the write-ahead log is in use and cannot be copied')
  } catch (error) {
    if (mustHarden || (sqliteCode(error) & 0xff) !== sqliteFull) throw error
  }
}

export const sqliteFull = 13

/** A connection that reads beside the writer and never holds it up. @throws {DamagedLog} */
export function openLogForReading(path: string): DatabaseSync {
  const db = open(path)
  try {
    db.exec('PRAGMA query_only = ON')
    checkFormat(db, path)
    return db
  } catch (error) {
    db.close()
    throw asDamage(error, path)
  }
}

function open(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true })
}

const isEmpty = (db: DatabaseSync): boolean =>
  db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined

function checkFormat(db: DatabaseSync, path: string): void {
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  if (pragma('application_id') !== applicationId) {
    throw new DamagedLog(`${path} is a database, but not an event log of Evident`)
  }
  const version = Number(pragma('user_version'))
  if (version > formatVersion) {
    throw new DamagedLog(
      `${path} has format ${version}; this program knows ${formatVersion}: use a newer one`,
    )
  }
}

/** What to do about a damaged log. */
export const adviceOnDamage = 'restore it from a backup; nothing was changed'

/**
 * SQLite's "not a database" and "malformed" named as what they are, and numbers that no event can
 * have; anything else as it is.
 */
export function asDamage(error: unknown, path: string): unknown {
  const code = sqliteCode(error) & 0xff
  const isOutOfRange = error instanceof RangeError
  if (code !== 11 && code !== 26 && !isOutOfRange) return error
  return new DamagedLog(
    `${path} is damaged (${String((error as Error).message)}): ${adviceOnDamage}`,
    {
      cause: error,
    },
  )
}

/** SQLite's extended result code of an error, 0 where it has none. */
export const sqliteCode = (error: unknown): number =>
  typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) : 0

/** SQLite has no checksum of its own: this one covers a row's bytes, its stream and its revision. */
export const checksumOf = (stream: string, revision: number | bigint, event: NewEvent): number =>
  crc32(`${stream}\n${revision}\n${event.id}\n${event.type}\n${event.data}\n${event.metadata}`)

/** Positions are 16 digits, so that they sort as text; the largest is 2^53 - 1. */
export const positionText = (position: number): string => String(position).padStart(16, '0')

export const isPositionText = (text: string): boolean =>
  /^[0-9]{16}$/.test(text) && Number.isSafeInteger(Number(text))

export const eventColumns = 'position, stream, revision, id, type, data, metadata, checksum'

export type EventRow = [number, number, number, string, string, string, string, number]

/** A damaged row can hold values of any type, which no schema keeps out when it is read. */
function isEventRow(row: readonly unknown[]): row is EventRow {
  const [position, stream, revision, id, type, data, metadata, checksum] = row
  return (
    Number.isInteger(position) &&
    Number.isInteger(stream) &&
    Number.isInteger(revision) &&
    typeof id === 'string' &&
    typeof type === 'string' &&
    typeof data === 'string' &&
    typeof metadata === 'string' &&
    Number.isInteger(checksum)
  )
}

/** Events that were read together. */
export interface Page {
  readonly events: readonly RecordedEvent[]
  /** Whether the statement has rows that would make it larger than a batch may be. */
  readonly isCut: boolean
}

/** Reads rows of `eventColumns` as events, each checked against its checksum, up to a batch's bytes. */
export function createRowReader(
  db: DatabaseSync,
): (statement: StatementSync, ...parameters: readonly (number | string)[]) => Page {
  const names = new Map<number, string>()
  const findName = db.prepare('SELECT name FROM streams WHERE key = ?')

  function nameOf(key: number): string {
    let name = names.get(key)
    if (name === undefined) {
      name = String(findName.get(key)?.name)
      if (names.size >= maxNamesKept) names.clear()
      names.set(key, name)
    }
    return name
  }

  return (statement, ...parameters) => {
    const events: RecordedEvent[] = []
    let bytes = 0
    // row by row: all at once would be in memory before they can be counted
    for (const row of statement.iterate(...parameters) as Iterable<unknown>) {
      if (!Array.isArray(row)) throw new TypeError('the statement does not return arrays')
      if (!isEventRow(row)) {
        throw new DamagedLog(`${nameOf(Number(row[1]))}, position ${row[0]}: its row was changed`)
      }
      const [position, key, revision, id, type, data, metadata, checksum] = row
      const stream = nameOf(key)
      const event: RecordedEvent = {
        id,
        type,
        data,
        metadata,
        stream,
        revision: BigInt(revision),
        position: positionText(position),
      }
      if (checksumOf(stream, revision, event) !== checksum) {
        throw new DamagedLog(`${stream}@${revision}, position ${position}: its bytes were changed`)
      }
      bytes += bytesOf(event)
      if (bytes > maxBatchBytes && events.length > 0) return { events, isCut: true }
      events.push(event)
    }
    return { events, isCut: false }
  }
}

const maxNamesKept = 100_000
