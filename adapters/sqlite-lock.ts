import { DatabaseSync } from 'node:sqlite'
import { sqliteCode } from './sqlite-event-log.ts'

/** Another process has the folder open. */
export class FolderInUse extends Error {
  readonly code = 'FOLDER_IN_USE'
}

/**
 * Takes the exclusive lock of a log, on a file of its own. The operating system lets it go when the
 * process ends, however it ends. @throws {FolderInUse}
 */
export function takeLock(path: string): { release(): void } {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (sqliteCode(error) !== sqliteBusy) throw error
    throw new FolderInUse(`another process has ${path} locked`, { cause: error })
  }
  return { release: () => db.close() }
}

const sqliteBusy = 5
