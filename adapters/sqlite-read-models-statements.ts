import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Statements that are kept; declarations allow only a few dozen shapes of queries. */
const maxStatements = 500

/** A statement that returns rows as arrays, prepared once. */
export type Prepare = (sql: string) => StatementSync

export function createPrepare(db: DatabaseSync): Prepare {
  const statements = new Map<string, StatementSync>()
  return (sql) => {
    let statement = statements.get(sql)
    if (!statement) {
      statement = db.prepare(sql)
      statement.setReturnArrays(true)
      if (statements.size >= maxStatements) statements.clear()
      statements.set(sql, statement)
    }
    return statement
  }
}
