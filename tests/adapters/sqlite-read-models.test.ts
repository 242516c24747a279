import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openSqliteReadModels, type SqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import { guarded, openReadModelFile } from '../../adapters/sqlite-read-models-file.ts'
import { endOfPrefix } from '../../adapters/sqlite-read-models-finder.ts'
import type { CollectionDeclaration } from '../../projections/projection.ts'
import {
  type Changes,
  ReadModelsDamaged,
  ReadModelsUnavailable,
} from '../../projections/read-model-store.ts'
import { readModelStoreContract } from '../contracts/read-model-store.contract.ts'
import { failureOf } from '../eventually.ts'

const things: CollectionDeclaration = {
  name: 'things',
  isFinal: false,
  indexes: [{ name: 'by-name', fields: ['name'] }],
  keys: ({ name }) => ({ name: name as string }),
}
const events: CollectionDeclaration = { ...things, name: 'events', isFinal: true }

const changes = (revision: bigint, part: Partial<Changes> = {}): Changes => ({
  ...{ finals: [], parked: [], unparked: [] },
  documents: [{ collection: 'things', id: 'a', revision, body: { name: `n${revision}` } }],
  progress: [{ stream: 's-1', revision }],
  ...part,
})

describe('sqlite read models', () => {
  let folder: string
  const opened: SqliteReadModels[] = []
  const open = (options: { readOnly?: boolean; changes?: SharedArrayBuffer } = {}) => {
    const store = openSqliteReadModels({ folder, ...options })
    opened.push(store)
    return store
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evident-read-models-'))
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  readModelStoreContract(async () => {
    let store = open()
    return {
      store,
      openReader: async () => open({ readOnly: true, changes: store.changes }),
      async reopen() {
        await store.close()
        store = open()
        return store
      },
    }
  })

  it('wakes a reader in another process by looking again', async () => {
    open()
    const begin = performance.now()
    await open({ readOnly: true }).changed(10_000)
    expect(performance.now() - begin).to.be.below(5_000)
  })

  it('can be opened for reading before anything is there', async () => {
    const reader = open({ readOnly: true })
    expect(await reader.liveBuild('things')).to.equal(undefined)
    expect(await reader.builds('things')).to.deep.equal([])
    const failure = await failureOf(reader.openBuild('things-v1.1', [things]))
    expect(failure).to.be.instanceOf(ReadModelsUnavailable)
    const writer = open()
    await writer.openBuild('things-v1.1', [things])
    await writer.setLiveBuild('things', 'things-v1.1')
    expect(await reader.liveBuild('things')).to.equal('things-v1.1')
    await reader.openBuild('things-v1.1', [things])
  })

  it('takes back what was written without progress when its writer is killed', async () => {
    const killed = open()
    const fill = await killed.openBuild('things-v1.1', [things, events], { deferIndexes: true })
    const final = (id: string) => ({ collection: 'events', id, revision: 1n, body: { name: id } })
    await fill.write(changes(1n, { finals: [final('e1')] }))
    await fill.write(changes(0n, { documents: [], progress: [], finals: [final('e2')] }))
    await killed.close()
    const again = await open().openBuild('things-v1.1', [things, events], { deferIndexes: true })
    await again.write(changes(2n, { finals: [final('e2')] }))
    await again.completeIndexes()
    const page = await again.find({ collection: 'events', index: 'id', equals: [], limit: 9 })
    expect(page.documents.map(({ id }) => id)).to.deep.equal(['e1', 'e2'])
  })

  it('reads a document by its form with its id where only the document tells a key', async () => {
    const byWord = { name: 'by-word', fields: ['word', 'revision'], manyOf: 'word', grows: true }
    const lines: CollectionDeclaration = {
      ...{ name: 'lines', isFinal: true, indexes: [byWord] },
      keys: ({ words, revision }) => ({ word: words as string[], revision: Number(revision) }),
      form: {
        write: ({ revision }) => JSON.stringify({ revision }),
        read: (text, id) => ({ ...JSON.parse(text), words: id.split('/') }),
      },
    }
    const build = await open().openBuild('lines-v1.1', [lines])
    const line = (id: string, revision: number) => ({
      ...{ collection: 'lines', id, revision: BigInt(revision) },
      body: { words: id.split('/'), revision },
    })
    const finals = [line('a/b', 1), line('a/c', 2)]
    await build.write(changes(1n, { documents: [], finals }))
    const query = { collection: 'lines', index: 'by-word', equals: ['a'], limit: 9 }
    const found = await build.find({ ...query, where: { word: 'c' } })
    expect(found.documents.map(({ id }) => id)).to.deep.equal(['a/c'])
  })

  it('refuses a build that was made by other declarations', async () => {
    await open().openBuild('things-v1.1', [things])
    const changed = { ...things, indexes: [] }
    const failure = await failureOf(open().openBuild('things-v1.1', [changed]))
    expect(failure).to.be.instanceOf(ReadModelsDamaged)
    expect(String(failure)).to.contain('needs a new version')
  })

  it('refuses names that could be more than a name', async () => {
    const store = open()
    const failures = await Promise.all([
      failureOf(store.openBuild('../things-v1.1', [things])),
      failureOf(store.openBuild('things-v1.1', [{ ...things, name: 'a"; DROP' }])),
    ])
    for (const failure of failures) expect(failure).to.be.instanceOf(Error)
  })

  describe('a file that this program cannot read', () => {
    const path = () => join(folder, 'things-v1.1.db')
    const refusal = async () => {
      const failure = await failureOf(open().openBuild('things-v1.1', [things]))
      expect(failure).to.be.instanceOf(ReadModelsDamaged)
      expect(String(failure)).to.contain(path()).and.to.contain('delete the file')
      return String(failure)
    }

    it('is refused where it is no database', async () => {
      writeFileSync(path(), 'not a database, but long enough to look at: '.repeat(40))
      await refusal()
    })

    it('is refused where it is another program’s database', async () => {
      const other = new DatabaseSync(path())
      other.exec('CREATE TABLE t (a)')
      other.close()
      expect(await refusal()).to.contain('not a read model')
    })

    it('is refused where its format is newer', async () => {
      await open().openBuild('things-v1.1', [things])
      const newer = new DatabaseSync(path())
      newer.exec('PRAGMA user_version = 99')
      newer.close()
      expect(await refusal()).to.contain('newer format 99')
    })

    it('is refused where it is damaged, and not repaired', async () => {
      const store = open()
      const build = await store.openBuild('things-v1.1', [things])
      for (let revision = 1n; revision < 50n; revision += 1n) await build.write(changes(revision))
      await store.close()
      truncateSync(path(), 8_192)
      const reading = open().openBuild('things-v1.1', [things])
      const query = { collection: 'things', index: 'by-name', equals: [], limit: 1 }
      const failure = await failureOf(reading.then((damaged) => damaged.find(query)))
      expect(failure).to.be.instanceOf(ReadModelsDamaged)
    })
  })

  it('serves a reader of a dropped build until it asks again', async () => {
    const writer = open()
    const reader = open({ readOnly: true, changes: writer.changes })
    await (await writer.openBuild('things-v1.1', [things])).write(changes(1n))
    const build = await reader.openBuild('things-v1.1', [things])
    expect(await build.progress('s-1')).to.equal(1n)
    await writer.dropBuild('things-v1.1')
    expect(await build.progress('s-1')).to.equal(1n)
  })

  it('says that it is unavailable when the disk is full, and goes on when there is room (C-19)', () => {
    const path = join(folder, 'full.db')
    const db = openReadModelFile(path, { schema: 'CREATE TABLE t (a)', readOnly: false })
    const fill = () => guarded(path, () => db.exec('INSERT INTO t VALUES (zeroblob(100000))'))
    db.exec('PRAGMA max_page_count = 4')
    expect(fill).to.throw(ReadModelsUnavailable, 'the disk is full').with.property('cause')
    db.exec('PRAGMA max_page_count = 1000')
    fill()
    db.close()
    expect(() => guarded(path, () => db.exec('SELECT 1'))).to.throw(ReadModelsUnavailable, 'closed')
  })

  it('names the end of all texts that begin with a prefix', () => {
    expect(endOfPrefix('a')).to.equal('b')
    expect(endOfPrefix('a:')).to.equal('a;')
    expect(endOfPrefix('\ud7ff')).to.equal('\ue000')
    expect(endOfPrefix('a\u{10ffff}')).to.equal('b')
    expect(endOfPrefix('\u{10ffff}')).to.equal(undefined)
  })
})
