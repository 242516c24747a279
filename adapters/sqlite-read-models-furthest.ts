import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Furthest } from '../projections/read-model-store.ts'
import { guarded } from './sqlite-read-models-file.ts'

/** How long it waits for another connection's lock. */
const busyTimeoutMs = 5_000

/**
 * What the build in a file is of, whether anybody has it open or not; its format is checked where it
 * is opened as a build. Earlier programs did not say what it is of.
 */
export function readFurthest(path: string): Furthest | undefined {
  if (!existsSync(path)) return undefined
  return guarded(path, () => {
    const db = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true })
    try {
      const isKept = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'furthest'").get()
      if (isKept === undefined) return undefined
      const columns = 'log_id AS logId, stream, revision, position, id'
      const row = db.prepare(`SELECT ${columns} FROM furthest`).get()
      if (row === undefined) return undefined
      return { ...row, revision: BigInt(Number(row.revision)) } as unknown as Furthest
    } finally {
      db.close()
    }
  })
}
