import { randomUUID } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { checksumOf, openLogForWriting } from '../../adapters/sqlite-event-log.ts'
import { openSqliteEventStore, type SqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import { maxCheckedFirst } from '../../adapters/sqlite-streams-check.ts'
import { DamagedLog, type NewEvent } from '../../events/event-store.ts'
import { failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const newEvent = (): NewEvent => ({
  ...{ id: randomUUID(), type: 'Tested', data: '{}', metadata: '{}' },
})

const nameOf = (key: number): string => `test-${String(key).padStart(12, '0')}`

/** A log of more streams than are checked before it is open, each of one event. */
function writeLargeLog(path: string): void {
  const db = openLogForWriting(path)
  const addStream = db.prepare('INSERT INTO streams (key, name) VALUES (?, ?)')
  const addEvent = db.prepare('INSERT INTO events VALUES (?, ?, 0, ?, ?, ?, ?, ?)')
  db.exec('BEGIN')
  for (let key = 1; key <= maxCheckedFirst + 5_000; key += 1) {
    const event = newEvent()
    const { id, type, data, metadata } = event
    addStream.run(key, nameOf(key))
    addEvent.run(key, key, id, type, data, metadata, checksumOf(nameOf(key), 0, event))
  }
  db.exec('COMMIT')
  db.close()
}

/** Where a name stands: once in the table, and once in its index, where the key follows it. */
function placesOf(whole: Buffer, key: number) {
  const name = nameOf(key)
  const places: number[] = []
  for (let at = whole.indexOf(name); at >= 0; at = whole.indexOf(name, at + 1)) places.push(at)
  const isInIndex = (at: number) => whole.readUInt16BE(at + name.length) === key
  const [inTable] = places.filter((at) => !isInIndex(at))
  const [inIndex] = places.filter(isInIndex)
  if (inTable === undefined || inIndex === undefined) throw new Error(`${name} is not in both`)
  return { inTable, inIndex, keyInIndex: inIndex + name.length }
}

describe('damage in the names of many streams (C-20)', function () {
  this.timeout(30_000)
  const folder = temporaryFolder()
  const source = join(folder, 'source.db')
  const key = 12_345
  let whole: Buffer
  let store: SqliteEventStore | undefined

  before(() => {
    writeLargeLog(source)
    whole = readFileSync(source)
  })
  afterEach(() => store?.close())

  async function openDamaged(at: number, bit: number): Promise<SqliteEventStore> {
    const path = join(folder, `${randomUUID()}.db`)
    const damaged = Buffer.from(whole)
    damaged[at] = (whole[at] ?? 0) ^ bit
    writeFileSync(path, damaged)
    store = await openSqliteEventStore({ path })
    return store
  }

  it('is looked for beside the work: a whole log takes old streams and new ones', async () => {
    const path = join(folder, 'whole.db')
    copyFileSync(source, path)
    store = await openSqliteEventStore({ path })
    expect(await store.append(nameOf(key), 0n, [newEvent()])).include({ revision: 1n })
    expect(await store.lastRevision('test-new')).equal(undefined)
    expect(await store.append('test-new', 'no-stream', [newEvent()])).include({ revision: 0n })
  })

  for (const where of ['inTable', 'inIndex'] as const) {
    it(`${where}: no name is taken for missing, and none is begun anew`, async () => {
      const opened = await openDamaged(placesOf(whole, key)[where] + 8, 0b1000)
      for (const name of [nameOf(key), 'test-never-there']) {
        expect(await failureOf(opened.lastRevision(name)), name).instanceOf(DamagedLog)
        const reading = Array.fromAsync(opened.readStream(name))
        expect(await failureOf(reading), name).instanceOf(DamagedLog)
        const error = await failureOf(opened.append(name, 'no-stream', [newEvent()]))
        expect(error, name).include({ code: 'EVENT_STORE_UNAVAILABLE' })
        expect(error.message, name).match(/names of its streams|index of streams/)
      }
    })
  }

  it('a name that leads to another stream is found as soon as it is asked for', async () => {
    const opened = await openDamaged(placesOf(whole, key).keyInIndex + 1, 1)
    const appending = failureOf(opened.append(nameOf(key), 'any', [newEvent()]))
    expect(await failureOf(opened.lastRevision(nameOf(key)))).instanceOf(DamagedLog)
    const reading = Array.fromAsync(opened.readStream(nameOf(key)))
    expect(await failureOf(reading)).instanceOf(DamagedLog)
    expect(await appending).include({ code: 'EVENT_STORE_UNAVAILABLE' })
  })
})
