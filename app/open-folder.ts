import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { openSqliteEventStore, type SqliteEventStore } from '../adapters/sqlite-event-store.ts'
import { identifyLog } from '../events/log-identity.ts'
import { systemClock, timestamp } from '../platform/clock.ts'
import type { Config } from './config.ts'

/** The log of a folder that nobody serves; nobody can while it is open. */
export interface Folder {
  readonly store: SqliteEventStore
  readonly logId: string
  close(): Promise<void>
}

/** There is no log where one was looked for. */
export class NoLog extends Error {
  readonly code = 'NO_LOG'
}

/** @throws {NoLog} @throws {FolderInUse} @throws {DamagedLog} */
export async function openFolder({ eventStorePath: path }: Config): Promise<Folder> {
  if (!existsSync(path)) throw new NoLog(`There is no log at ${path}: give its folder with --data.`)
  const store = await openSqliteEventStore({ path })
  try {
    const logId = await identifyLog(store, { newId: randomUUID, now: timestamp(systemClock()) })
    return { store, logId, close: store.close }
  } catch (error) {
    await store.close()
    throw error
  }
}
