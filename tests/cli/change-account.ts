import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Changes the document of ann in the live build, as no projection would: text for text. */
export function changeAccount(data: string, from: string, to: string): void {
  const folder = join(data, 'read-models')
  const file = readdirSync(folder).find((name) => /^accounts.*\.db$/.test(name)) ?? ''
  const db = new DatabaseSync(join(folder, file))
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  for (const { name } of tables) {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${name}')`).all()
    if (!String(name).includes('accounts') || !columns.some((one) => one.name === 'body')) continue
    db.prepare(`UPDATE "${name}" SET body = replace(body, ?, ?) WHERE body LIKE '%"ann"%'`).run(
      from,
      to,
    )
  }
  db.close()
}
