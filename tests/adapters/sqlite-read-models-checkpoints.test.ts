import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { createCheckpoints } from '../../adapters/sqlite-read-models-checkpoints.ts'
import { openReadModelFile } from '../../adapters/sqlite-read-models-file.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

describe('checkpoints of read models', () => {
  const root = temporaryFolder()
  let db: DatabaseSync
  let path: string
  let cases = 0

  beforeEach(() => {
    path = join(root, `case-${++cases}.db`)
    db = openReadModelFile(path, { schema: 'CREATE TABLE t (body TEXT)', readOnly: false })
  })
  afterEach(() => db.close())

  const add = (bytes: number) => db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(bytes))
  const sizes = () => ({ log: statSync(`${path}-wal`).size, database: statSync(path).size })

  it('come when nothing has been written for a moment', async () => {
    const checkpoints = createCheckpoints(db, path)
    add(1_000_000)
    checkpoints.afterWrite(499)
    checkpoints.afterWrite(1)
    expect(sizes().database).below(100_000)
    await eventually(() => sizes().database > 1_000_000, 'the log is in the database')
    checkpoints.stop()
  })

  it('empty a write-ahead log that has become too large, at the next write', () => {
    const checkpoints = createCheckpoints(db, path, { maxBytes: 1_000_000 })
    checkpoints.beforeWrite()
    add(900_000)
    checkpoints.beforeWrite()
    expect(sizes().log).above(900_000)
    add(200_000)
    checkpoints.beforeWrite()
    expect(sizes().log).equal(0)
    expect(sizes().database).above(1_100_000)
  })

  it('wait for the end of a transaction', () => {
    const checkpoints = createCheckpoints(db, path, { maxBytes: 1 })
    db.exec('BEGIN')
    add(100_000)
    checkpoints.beforeWrite()
    db.exec('COMMIT')
    expect(sizes().log).above(100_000)
    checkpoints.beforeWrite()
    expect(sizes().log).equal(0)
  })
})
