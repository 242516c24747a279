import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Furthest } from '../projections/read-model-store.ts'
import { busyTimeoutMs, guarded } from './sqlite-read-models-file.ts'
import { withRevision } from './sqlite-read-models-revision.ts'

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
      return row && withRevision<Furthest>(row)
    } finally {
      db.close()
    }
  })
}
