import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ExpectedRevision, NewEvent } from '../events/event-store.ts'
import { checksumOf, openLogForWriting, sqliteCode, sqliteFull } from './sqlite-event-log.ts'
import type { StreamsGuard } from './sqlite-streams-check.ts'

export interface Append {
  readonly stream: string
  readonly expected: ExpectedRevision
  readonly events: readonly NewEvent[]
}

/** An append as it goes to the writing thread: four texts an event, which copy faster than objects. */
export interface PackedAppend extends Omit<Append, 'events'> {
  readonly texts: readonly string[]
}

export function pack({ stream, expected, events }: Append): PackedAppend {
  const texts: string[] = []
  for (const { id, type, data, metadata } of events) texts.push(id, type, data, metadata)
  return { stream, expected, texts }
}

export function unpack({ stream, expected, texts }: PackedAppend): Append {
  const events: NewEvent[] = []
  for (let at = 0; at < texts.length; at += 4) {
    const [id = '', type = '', data = '', metadata = ''] = texts.slice(at, at + 4)
    events.push({ id, type, data, metadata })
  }
  return { stream, expected, events }
}

/** What became of one append of a batch. `unavailable` means that nothing was written. */
export type AppendResult =
  | { readonly outcome: 'appended'; readonly revision: bigint; readonly position: number }
  | { readonly outcome: 'wrong-revision'; readonly actual: bigint | undefined }
  | { readonly outcome: 'unavailable' | 'unknown'; readonly reason: string }

export interface BatchWriter {
  /** Appends in one transaction, each with its own outcome; durable when it returns. */
  write(batch: readonly Append[]): AppendResult[]
  close(): void
}

/** Where a stream ends: the key of its row and its last revision, -1 before the first event. */
interface Head {
  readonly key: number
  readonly last: number
}

const maxHeadsKept = 100_000

/** Owns the writing connection. Synchronous: it belongs on a thread of its own. */
export function createBatchWriter(path: string, guard: StreamsGuard): BatchWriter {
  let session: Session | undefined = openSession(path, guard)

  return {
    write(batch) {
      try {
        guard.refuseDamage()
        session ??= openSession(path, guard)
      } catch (error) {
        return batch.map(() => ({ outcome: 'unavailable', reason: messageOf(error) }))
      }
      const results: AppendResult[] = []
      try {
        session.begin()
        for (const append of batch) results.push(session.append(append))
      } catch (error) {
        session = abandon(session) // before COMMIT nothing is written: the engine rolls back
        return batch.map(() => ({ outcome: 'unavailable', reason: messageOf(error) }))
      }
      try {
        session.commit()
        return results
      } catch (error) {
        session = abandon(session)
        return readBack(batch, error)
      }
    },

    close() {
      session?.close()
      session = undefined
    },
  }

  /**
   * An I/O error at COMMIT tells nothing: what a fresh connection reads, after an fsync that succeeded,
   * is what happened. A full disk alone is certain: the commit was not written.
   */
  function readBack(batch: readonly Append[], error: unknown): AppendResult[] {
    const reason = messageOf(error)
    const isFull = (sqliteCode(error) & 0xff) === sqliteFull
    try {
      const reopened = openSession(path, guard, { mustHarden: !isFull })
      session = reopened
      return batch.map((append) => {
        const isCertain = isFull || append.expected !== 'any'
        return reopened.find(append) ?? { outcome: isCertain ? 'unavailable' : 'unknown', reason }
      })
    } catch {
      return batch.map(() => ({ outcome: isFull ? 'unavailable' : 'unknown', reason }))
    }
  }
}

function abandon(session: Session): undefined {
  try {
    session.close()
  } catch {
    // a connection that failed may fail to close too; the next one starts afresh either way
  }
  return undefined
}

interface Session {
  begin(): void
  append(append: Append): AppendResult
  commit(): void
  /** The append's events where they are in the log already. */
  find(append: Append): AppendResult | undefined
  close(): void
}

function openSession(
  path: string,
  guard: StreamsGuard,
  options?: { readonly mustHarden: boolean },
): Session {
  const db = openLogForWriting(path, options)
  const statements = prepare(db)
  const heads = new Map<string, Head>()
  let nextPosition = Number(statements.lastPosition.get()?.position ?? 0) + 1

  function headOf(stream: string): Head | undefined {
    const known = heads.get(stream)
    if (known) return known
    const row = statements.head.get(stream)
    if (!row) {
      guard.waitHere()
      return undefined
    }
    if (row.name !== stream) throw new Error(`the index of streams takes ${row.name} for ${stream}`)
    return remember(stream, { key: Number(row.key), last: Number(row.last ?? -1) })
  }

  function remember(stream: string, head: Head): Head {
    if (heads.size >= maxHeadsKept) heads.clear()
    heads.set(stream, head)
    return head
  }

  function find({ stream, expected, events }: Append): AppendResult | undefined {
    if (expected === 'any' || events.length === 0) return undefined
    const head = headOf(stream)
    if (!head) return undefined
    const first = expected === 'no-stream' ? 0 : Number(expected) + 1
    const rows = statements.ids.all(head.key, first, first + events.length - 1)
    const repeated =
      rows.length === events.length && rows.every((row, index) => row.id === events[index]?.id)
    if (!repeated) return undefined
    return {
      outcome: 'appended',
      revision: BigInt(first + events.length - 1),
      position: Number(rows.at(-1)?.position),
    }
  }

  return {
    begin: () => db.exec('BEGIN IMMEDIATE'),
    commit: () => db.exec('COMMIT'),
    find,
    close: () => db.close(),

    append(append) {
      const { stream, expected, events } = append
      const head = headOf(stream)
      const last = head?.last ?? -1
      if (!isExpected(expected, last)) {
        const actual = last < 0 ? undefined : BigInt(last)
        return find(append) ?? { outcome: 'wrong-revision', actual }
      }
      if (events.length === 0) {
        return { outcome: 'appended', revision: BigInt(last), position: nextPosition - 1 }
      }
      const key = head?.key ?? Number(statements.addStream.run(stream).lastInsertRowid)
      let revision = last
      for (const event of events) {
        revision += 1
        const { id, type, data, metadata } = event
        const checksum = checksumOf(stream, revision, event)
        statements.insert.run(nextPosition, key, revision, id, type, data, metadata, checksum)
        nextPosition += 1
      }
      remember(stream, { key, last: revision })
      return { outcome: 'appended', revision: BigInt(revision), position: nextPosition - 1 }
    },
  }
}

function isExpected(expected: ExpectedRevision, last: number): boolean {
  if (expected === 'any') return true
  return expected === 'no-stream' ? last < 0 : Number(expected) === last
}

function prepare(
  db: DatabaseSync,
): Record<'lastPosition' | 'head' | 'ids' | 'addStream' | 'insert', StatementSync> {
  return {
    lastPosition: db.prepare('SELECT max(position) AS position FROM events'),
    head: db.prepare(`
      SELECT key, (SELECT name FROM streams WHERE key = found.key) AS name,
        (SELECT max(revision) FROM events WHERE stream = found.key) AS last
      FROM streams AS found WHERE name = ?`),
    ids: db.prepare(`
      SELECT id, position FROM events
      WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision`),
    addStream: db.prepare('INSERT INTO streams (name) VALUES (?)'),
    insert: db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
