import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  DamagedLog,
  type Direction,
  type EventBatches,
  type EventStore,
  type LogRange,
  type Position,
  type StreamRange,
  type Subscribe,
} from '../events/event-store.ts'
import { waitForChange } from './shared-changes.ts'
import {
  asDamage,
  createRowReader,
  eventColumns,
  isPositionText,
  openLogForReading,
  type Page,
} from './sqlite-event-log.ts'
import { type StreamsGuard, unguarded } from './sqlite-streams-check.ts'

export type LogReader = Pick<
  EventStore,
  'readStream' | 'readAll' | 'isPosition' | 'subscribe' | 'lastRevision' | 'close'
>

/**
 * Events a read statement fetches at once, fewer where they are large. None stays open between two
 * pages, and others get a turn.
 */
const pageSize = 1_000

/** How long a subscription waits before it looks again, should a wake-up be missed. */
const idleWaitMs = 1_000

/** Reads beside the writer, through a connection of its own that belongs to the calling thread. */
export function createLogReader({
  path,
  changes,
  guard = unguarded,
}: {
  readonly path: string
  readonly changes: SharedArrayBuffer
  readonly guard?: StreamsGuard
}): LogReader {
  const { db, pages } = openPages(path)
  const changeCount = new Int32Array(changes)

  async function* readAll(range: LogRange = {}): EventBatches {
    const { direction = 'forward', limit = Number.POSITIVE_INFINITY } = range
    let position = range.after === undefined ? beyond[direction] : numberOf(range.after)
    for (let left = limit; left > 0; ) {
      const { events, isLast } = pages.all(direction, position, Math.min(left, pageSize))
      if (events.length > 0) yield events
      if (isLast) return
      await nextTurn()
      left -= events.length
      position = Number(events.at(-1)?.position)
    }
  }

  async function* readStream(stream: string, range: StreamRange = {}): EventBatches {
    const { direction = 'forward', limit = Number.POSITIVE_INFINITY } = range
    const step = direction === 'forward' ? 1n : -1n
    const key = await keyOf(stream)
    if (key === undefined) return
    let next = range.from
    for (let left = limit; left > 0; ) {
      const start = next === undefined ? beyond[direction] : Number(next - step)
      const { events, isLast } = pages.stream(direction, key, start, Math.min(left, pageSize))
      for (const { revision } of events) {
        if (next === undefined) next = direction === 'forward' ? 0n : revision
        if (revision !== next) throw new DamagedLog(`${stream}: revision ${next} is missing`)
        next += step
      }
      if (events.length > 0) yield events
      if (isLast) return
      await nextTurn()
      left -= events.length
    }
  }

  async function* subscribe({ after, signal }: Subscribe): EventBatches {
    let position = after === undefined ? beyond.forward : numberOf(after)
    while (!signal.aborted) {
      const seen = Atomics.load(changeCount, 0)
      const { events } = pages.all('forward', position, pageSize)
      if (events.length > 0) {
        yield events
        position = Number(events.at(-1)?.position)
        await nextTurn()
      } else {
        await waitForChange(changeCount, seen, idleWaitMs, signal)
      }
    }
  }

  async function lastRevision(stream: string): Promise<bigint | undefined> {
    const key = await keyOf(stream)
    return key === undefined ? undefined : pages.lastRevision(key)
  }

  /** A name is only missing when all names have been found whole. */
  async function keyOf(stream: string): Promise<number | undefined> {
    guard.refuseDamage()
    const key = pages.keyOf(stream)
    if (key === undefined) await guard.wait()
    return key
  }

  return {
    readAll,
    readStream,
    isPosition: isPositionText,
    subscribe,
    lastRevision,
    close: async () => db.close(),
  }
}

function openPages(path: string) {
  const db = openLogForReading(path)
  try {
    return { db, pages: preparePages(db, path) }
  } catch (error) {
    db.close()
    throw asDamage(error, path)
  }
}

/** A position of another kind would compare with none, and nothing would ever come past it. */
function numberOf(position: Position): number {
  const number = Number(position)
  if (position !== '' && Number.isSafeInteger(number)) return number
  throw new RangeError(`"${position}" is no position of this log`)
}

/** Past either end of the log and of every stream. */
const beyond: Record<Direction, number> = { forward: -1, backward: Number.MAX_SAFE_INTEGER }

function preparePages(db: DatabaseSync, path: string) {
  const readRows = createRowReader(db)
  const prepare = (condition: string) => {
    const statement = db.prepare(`SELECT ${eventColumns} FROM events WHERE ${condition} LIMIT ?`)
    statement.setReturnArrays(true)
    return statement
  }
  const all = {
    forward: prepare('position > ? ORDER BY position'),
    backward: prepare('position < ? ORDER BY position DESC'),
  }
  const stream = {
    forward: prepare('stream = ? AND revision > ? ORDER BY revision'),
    backward: prepare('stream = ? AND revision < ? ORDER BY revision DESC'),
  }
  const last = db.prepare('SELECT max(revision) AS last FROM events WHERE stream = ?')
  const findKey = db.prepare(`
    SELECT key, (SELECT name FROM streams WHERE key = found.key) AS name
    FROM streams AS found WHERE name = ?`)

  const guarded = <T>(read: () => T): T => {
    try {
      return read()
    } catch (error) {
      throw asDamage(error, path)
    }
  }
  const pageOf = (limit: number, read: () => Page) => {
    const { events, isCut } = guarded(read)
    return { events, isLast: !isCut && events.length < limit }
  }
  return {
    all: (direction: Direction, position: number, limit: number) =>
      pageOf(limit, () => readRows(all[direction], position, limit)),
    stream: (direction: Direction, key: number, revision: number, limit: number) =>
      pageOf(limit, () => readRows(stream[direction], key, revision, limit)),
    keyOf: (name: string): number | undefined =>
      guarded(() => {
        const found = findKey.get(name)
        if (found === undefined) return undefined
        if (found.name === name) return Number(found.key)
        throw new DamagedLog(`${name}: the index of streams leads to ${found.name}`)
      }),
    lastRevision: (key: number): bigint | undefined =>
      guarded(() => {
        const revision = last.get(key)?.last
        return typeof revision === 'number' ? BigInt(revision) : undefined
      }),
  }
}
