import { once } from 'node:events'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import type { Request } from '../../platform/http/request.ts'
import { accounts } from '../../projections/accounts.ts'
import { buildName } from '../../projections/build-names.ts'
import type { Build, ReadModelStore, StoredDocument } from '../../projections/read-model-store.ts'
import { createViews, type View } from '../../query-service/freshness.ts'
import { maxKeptDocuments, maxKeptLength } from '../../query-service/live-builds.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { WriterThreadData } from './writer-thread.ts'

interface Seen {
  readonly revision: bigint | undefined
  readonly document: StoredDocument | undefined
}

const request: Request = {
  ...{ id: 'r', traceparent: '', signal: new AbortController().signal },
  header: () => 'wait=0',
}

/** How often a build is read. */
function counted(build: Build, reads: { count: number }): Build {
  const counting =
    <A extends unknown[], T>(read: (...args: A) => T) =>
    (...args: A) => {
      reads.count += 1
      return read(...args)
    }
  return {
    ...build,
    get: counting(build.get),
    progress: counting(build.progress),
    coverage: counting(build.coverage),
  }
}

describe('kept documents', () => {
  const folder = temporaryFolder()
  let generation = 0

  async function openService(store: ReadModelStore) {
    generation += 1
    const reads = { count: 0 }
    const build = await store.openBuild(buildName(accounts, generation), accounts.collections)
    await store.setLiveBuild(accounts.name, build.name)
    const openBuild = async (...args: Parameters<ReadModelStore['openBuild']>) =>
      counted(await store.openBuild(...args), reads)
    const views = createViews({ ...store, openBuild }, Date.now)
    const show = (view: View, document: StoredDocument | undefined): Seen => ({
      revision: view.revision,
      document,
    })
    return {
      build,
      reads,
      views,
      read(id: string, minRevision?: bigint) {
        const key = { collection: 'accounts', id: `s-1/${id}`, stream: 's-1' }
        return views.ofDocument(
          accounts,
          key,
          { minRevision: minRevision?.toString(), request },
          show,
        )
      },
      write(id: string, revision: number, more: Record<string, unknown> = {}) {
        const body = {
          ledger: '1',
          account: id,
          status: 'open',
          metadata: {},
          balances: {},
          ...more,
        }
        return build.write({
          ...{ finals: [], parked: [], unparked: [] },
          documents: [
            { collection: 'accounts', id: `s-1/${id}`, revision: BigInt(revision), body },
          ],
          progress: [{ stream: 's-1', revision: BigInt(revision) }],
        })
      },
    }
  }

  describe('of a store that counts its changes', () => {
    const store = openSqliteReadModels({ folder: join(folder, 'counting') })
    after(() => store.close())

    it('are shown without reading while nothing changes, and as they are after any change', async () => {
      const { read, write, reads } = await openService(store)
      for (let revision = 1; revision <= 3; revision += 1) {
        await write('a', revision)
        const first = await read('a')
        expect(first).deep.include({ revision: BigInt(revision) })
        expect(first.document?.revision).equal(BigInt(revision))
        const before = reads.count
        for (let n = 0; n < 5; n += 1) expect(read('a')).deep.equal(first)
        expect(reads.count).equal(before)
      }
      await write('b', 4) // another document of the stream: the view has moved
      expect(await read('a')).deep.include({ revision: 4n })
    })
    it('are of a build that all who come after a change find together', async () => {
      const { read, write, reads } = await openService(store)
      await write('a', 1)
      await read('a')
      await write('a', 2)
      const before = reads.count
      const shown = await Promise.all(Array.from({ length: 50 }, () => read('a')))
      expect(new Set(shown.map(({ revision }) => revision))).deep.equal(new Set([2n]))
      expect(reads.count - before).most(2 * 50 + 1) // each reads two, one finds the build
    })
    it('are those of the build that is live', async () => {
      const { read, write, views } = await openService(store)
      await write('a', 1)
      await read('a')
      const next = await store.openBuild(buildName(accounts, 900), accounts.collections)
      await next.write({
        ...{ finals: [], documents: [], parked: [], unparked: [] },
        progress: [{ stream: 's-1', revision: 7n }],
      })
      await store.setLiveBuild(accounts.name, next.name)
      expect(await read('a')).deep.equal({ revision: 7n, document: undefined })
      expect((await views.now(accounts)).build.name).equal(next.name)
    })
    it('are not enough for a reader who has seen a later revision', async () => {
      const { read, write } = await openService(store)
      await write('a', 1)
      await read('a')
      expect(read('a', 1n)).deep.include({ revision: 1n })
      const late = await Promise.resolve(read('a', 2n)).catch((error: unknown) => error)
      expect(late).include({ code: 'view-late' })
    })
    it('are read each time where they are long or absent', async () => {
      const { read, write, reads } = await openService(store)
      await write('long', 1, { metadata: { text: 'x'.repeat(maxKeptLength) } })
      for (const id of ['long', 'absent']) {
        await read(id)
        const before = reads.count
        await read(id)
        expect(reads.count).equal(before + 1)
      }
    })
    it('are so many at most, those used last', async () => {
      const { read, write } = await openService(store)
      const total = maxKeptDocuments * 2
      for (let n = 0; n < total; n += 1) await write(`${n}`, n + 1)
      for (let n = 0; n < total; n += 1) await read(`${n}`)
      const isKept = (n: number) => read(`${n}`) instanceof Promise === false
      expect(isKept(0)).equal(false)
      expect(isKept(total - 1)).equal(true)
    })
  })

  it('are not kept where changes cannot be counted', async () => {
    const store = openSqliteReadModels({ folder: join(folder, 'uncounted') })
    const { read, write, reads } = await openService({ ...store, changeCount: () => undefined })
    await write('a', 1)
    await read('a')
    const before = reads.count
    await read('a')
    expect(reads.count).least(before + 2)
    await store.close()
  })

  it('never go back while another thread writes', async () => {
    const own = join(folder, 'threads')
    const writer = openSqliteReadModels({ folder: own })
    const { build } = await openService(writer)
    const reader = openSqliteReadModels({ folder: own, readOnly: true, changes: writer.changes })
    const views = createViews(reader, Date.now)
    const show = (view: View, document: StoredDocument | undefined): Seen => ({
      revision: view.revision,
      document,
    })
    const data: WriterThreadData = {
      ...{ folder: own, changes: writer.changes, build: build.name, writes: 600 },
    }
    const thread = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: data })
    let isDone = false
    const done = once(thread, 'exit').then(() => {
      isDone = true
    })
    let latest = 0n
    let kept = 0
    let moves = 0
    while (!isDone) {
      for (const id of ['a', 'b', 'b', 'a']) {
        const key = { collection: 'accounts', id: `s-1/${id}`, stream: 's-1' }
        const shown = views.ofDocument(accounts, key, { minRevision: undefined, request }, show)
        if (shown instanceof Promise === false) kept += 1
        const { revision = 0n, document } = await shown
        const seen = document?.revision ?? 0n
        expect(seen >= revision, 'the document is at least as new as its view').equal(true)
        expect(seen >= latest, `${seen} was shown after ${latest}`).equal(true)
        if (seen > latest) moves += 1
        latest = seen
      }
      await nextTurn()
    }
    await done
    await reader.close()
    await writer.close()
    expect(kept).above(0)
    expect(moves).above(10)
  })
})
