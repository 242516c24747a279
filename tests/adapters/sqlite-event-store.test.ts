import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import type { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { openSqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import { FolderInUse } from '../../adapters/sqlite-lock.ts'
import { DamagedLog, type EventStore, type NewEvent } from '../../events/event-store.ts'
import { eventStoreContract } from '../contracts/event-store.contract.ts'
import { failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newEvent = (data = '{}'): NewEvent => ({
  id: randomUUID(),
  type: 'Tested',
  data,
  metadata: '{"recordedAt":"2026-01-31T09:30:00.000Z","schemaVersion":1}',
})

async function readAll(store: EventStore): Promise<string[]> {
  const seen: string[] = []
  for await (const batch of store.readAll()) seen.push(...batch.map(({ data }) => data))
  return seen
}

describe('sqlite event store', () => {
  const folder = temporaryFolder()
  const newPath = () => join(folder, randomUUID(), 'events.db')

  eventStoreContract(() => openSqliteEventStore({ path: newPath() }))

  it('has all after it was closed and opened again', async () => {
    const path = newPath()
    const first = await openSqliteEventStore({ path })
    await first.append('test-1', 'no-stream', [newEvent('{"n":1}'), newEvent('{"n":2}')])
    await first.close()
    const second = await openSqliteEventStore({ path })
    expect(await readAll(second)).deep.equal(['{"n":1}', '{"n":2}'])
    expect(await second.append('test-1', 1n, [newEvent()])).include({ revision: 2n })
    await second.close()
  })

  it('answers the appends it accepted before it closes, and refuses later ones', async () => {
    const store = await openSqliteEventStore({ path: newPath() })
    const appends = Array.from({ length: 20 }, () => store.append('test-1', 'any', [newEvent()]))
    const closing = store.close()
    const late = failureOf(store.append('test-1', 'any', [newEvent()]))
    expect(await Promise.all(appends)).lengthOf(20)
    expect(await late).include({ code: 'EVENT_STORE_UNAVAILABLE' })
    await closing
  })

  it('tells when its writing thread ends, answers what waits, and closes all the same', async () => {
    const path = newPath()
    const { promise: started, resolve: onStarted } = Promise.withResolvers<Worker>()
    process.once('worker', onStarted)
    const { promise: lost, resolve: onWriterLost } = Promise.withResolvers<Error>()
    const store = await openSqliteEventStore({ path, onWriterLost })
    const thread = await started
    await store.append('test-1', 'no-stream', [newEvent()])
    const waiting = Promise.allSettled(
      Array.from({ length: 3 }, () => store.append('test-1', 'any', [newEvent()])),
    )
    await thread.terminate()
    expect(await lost).include({ code: 'EVENT_STORE_UNAVAILABLE' })
    expect(await waiting).lengthOf(3)
    const refused = await failureOf(store.append('test-1', 'any', [newEvent()]))
    expect(refused).include({ code: 'EVENT_STORE_UNAVAILABLE' })
    await store.close()
    await (await openSqliteEventStore({ path })).close()
  })

  it('ends the process with its writing thread, unless told otherwise', async () => {
    const { href } = new URL('../../adapters/sqlite-event-store.ts', import.meta.url)
    const script = `
      import { openSqliteEventStore } from ${JSON.stringify(href)}
      process.once('worker', (thread) => setImmediate(function end() {
        if (globalThis.isOpen) thread.terminate()
        else setImmediate(end)
      }))
      await openSqliteEventStore({ path: ${JSON.stringify(newPath())} })
      globalThis.isOpen = true
      setInterval(() => {}, 1_000)`
    const scriptPath = join(folder, 'lose-writer.mjs')
    await writeFile(scriptPath, script)
    const run = spawn(process.execPath, [scriptPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 15_000,
    })
    const [told, [code]] = await Promise.all([text(run.stderr), once(run, 'exit')])
    expect(code).equal(1)
    expect(told).contain('the writing thread ended')
  })

  it('lets one process at a time open a log', async () => {
    const path = newPath()
    const store = await openSqliteEventStore({ path })
    expect(await failureOf(openSqliteEventStore({ path }))).instanceOf(FolderInUse)
    await store.close()
    await (await openSqliteEventStore({ path })).close()
  })

  it('refuses to change or delete what is logged', async () => {
    const path = newPath()
    const store = await openSqliteEventStore({ path })
    await store.append('test-1', 'no-stream', [newEvent()])
    await store.close()
    const db = new DatabaseSync(path)
    for (const attack of [
      `UPDATE events SET data = '{"n":9}'`,
      'DELETE FROM events',
      `UPDATE streams SET name = 'other'`,
      'DELETE FROM streams',
    ]) {
      expect(() => db.exec(attack)).throw(/are final/)
    }
    db.close()
  })

  it('names the place of an event whose bytes were changed, and does not serve it (C-20)', async () => {
    const path = newPath()
    const store = await openSqliteEventStore({ path })
    await store.append('test-1', 'no-stream', [newEvent('{"n":1}'), newEvent('{"n":2}')])
    await store.close()
    const db = new DatabaseSync(path)
    db.exec(`DROP TRIGGER events_keep; UPDATE events SET data = '{"n":9}' WHERE revision = 1`)
    db.close()
    const reopened = await openSqliteEventStore({ path })
    const error = await failureOf(readAll(reopened))
    expect(error).instanceOf(DamagedLog)
    expect(error.message).contain('test-1@1')
    await reopened.close()
  })

  it('names a revision that is missing from a stream', async () => {
    const path = newPath()
    const store = await openSqliteEventStore({ path })
    await store.append('test-1', 'no-stream', [newEvent(), newEvent(), newEvent()])
    await store.close()
    const db = new DatabaseSync(path)
    db.exec('DROP TRIGGER events_stay; DELETE FROM events WHERE revision = 1')
    db.close()
    const reopened = await openSqliteEventStore({ path })
    const reading = (async () => {
      for await (const _ of reopened.readStream('test-1')) {
        // the first page holds the gap
      }
    })()
    expect((await failureOf(reading)).message).contain('revision 1 is missing')
    await reopened.close()
  })

  it('refuses a file that is damaged, foreign, or of a newer format', async () => {
    const damaged = newPath()
    const foreign = newPath()
    const newer = newPath()
    for (const path of [damaged, newer]) {
      const store = await openSqliteEventStore({ path })
      await store.append('test-1', 'no-stream', [newEvent()])
      await store.close()
    }
    const file = await open(damaged, 'r+')
    await file.write(Buffer.alloc(100, 0x55), 0, 100, 0)
    await file.close()
    const newerDb = new DatabaseSync(newer)
    newerDb.exec('PRAGMA user_version = 2')
    newerDb.close()
    await (await openSqliteEventStore({ path: foreign })).close()
    const foreignDb = new DatabaseSync(foreign)
    foreignDb.exec('PRAGMA application_id = 1')
    foreignDb.close()

    for (const [path, reason] of [
      [damaged, 'restore it from a backup'],
      [foreign, 'not an event log of Evident'],
      [newer, 'format 2'],
    ] as const) {
      const error = await failureOf(openSqliteEventStore({ path }))
      expect(error).instanceOf(DamagedLog)
      expect(error.message).contain(reason)
    }
  })
})
