import { DatabaseSync } from 'node:sqlite'

/** What SQLite itself finds wrong with a database file, a line each; it changes nothing. */
export function findSqliteDamage(path: string): readonly string[] {
  try {
    const db = new DatabaseSync(path, { readOnly: true })
    try {
      const rows = db.prepare(`PRAGMA integrity_check(${maxFindings})`).all()
      return rows.map((row) => String(row.integrity_check)).filter((text) => text !== 'ok')
    } finally {
      db.close()
    }
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

const maxFindings = 100
