import { randomUUID } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import { openSqliteEventReader, openSqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import { DamagedLog, type RecordedEvent } from '../../events/event-store.ts'
import { seeded } from '../crash/seeded.ts'
import { failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const streams = ['ledger-a', 'ledger-b', 'ledger-c']
const pageBytes = 4_096

/** All that a log can be asked for. */
interface Shown {
  readonly all: readonly RecordedEvent[]
  readonly streams: Readonly<Record<string, readonly (readonly RecordedEvent[])[]>>
}

async function readEverything(path: string): Promise<Shown> {
  const reader = openSqliteEventReader({ path, changes: new SharedArrayBuffer(4) })
  try {
    const shown: Record<string, (readonly RecordedEvent[])[]> = {}
    for (const name of streams) {
      const forward = (await Array.fromAsync(reader.readStream(name))).flat()
      const backward = await Array.fromAsync(reader.readStream(name, { direction: 'backward' }))
      shown[name] = [forward, backward.flat()]
    }
    return { all: (await Array.fromAsync(reader.readAll())).flat(), streams: shown }
  } finally {
    await reader.close()
  }
}

describe('damage in the log (C-20)', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  const path = join(folder, 'events.db')
  let whole: Buffer
  let original: Shown

  before(async () => {
    const store = await openSqliteEventStore({ path })
    for (const stream of streams) {
      const events = Array.from({ length: 150 }, (_, n) => ({
        id: randomUUID(),
        type: 'TransactionPosted',
        data: JSON.stringify({ n, text: 'x'.repeat(40) }),
        metadata: '{"recordedAt":"2026-01-31T09:30:00.000Z","schemaVersion":1}',
      }))
      await store.append(stream, 'no-stream', events.slice(0, 50))
      await store.append(stream, 49n, events.slice(50))
    }
    await store.close()
    whole = readFileSync(path)
    original = await readEverything(path)
  })
  beforeEach(() => writeFileSync(path, whole))

  it('is never served, wherever a bit flips in old data, and its place is named', async () => {
    const { below } = seeded(20)
    let damages = 0
    for (let flip = 0; flip < 300; flip += 1) {
      const at = pageBytes * 3 + below(whole.length - pageBytes * 3)
      const damaged = Buffer.from(whole)
      damaged[at] = (whole[at] ?? 0) ^ (1 << below(8))
      writeFileSync(path, damaged)
      const shown = await readEverything(path).catch((error: unknown) => error)
      if (isDeepStrictEqual(shown, original)) continue // nothing is kept there
      damages += 1
      expect(shown, `a bit of byte ${at}`).instanceOf(DamagedLog)
      expect((shown as DamagedLog).message).match(/events\.db|ledger-[abc]|position \d+/)
    }
    expect(damages).greaterThan(100)
  })

  it('in the names of streams, or in the first page, is found when the log is opened', async () => {
    const { below } = seeded(21)
    for (let flip = 0; flip < 15; flip += 1) {
      const at = below(pageBytes * 3)
      const damaged = Buffer.from(whole)
      damaged[at] = (whole[at] ?? 0) ^ (1 << below(8))
      writeFileSync(path, damaged)
      const shown = await openSqliteEventStore({ path })
        .then((store) => store.close())
        .then(() => readEverything(path))
        .catch((error: unknown) => error)
      if (isDeepStrictEqual(shown, original)) continue
      expect(shown, `a bit of byte ${at}`).instanceOf(DamagedLog)
    }
  })

  it('is told with the stream, the revision and the position of the event', async () => {
    const at = whole.indexOf('{"n":77,')
    const damaged = Buffer.from(whole)
    damaged.write('{"n":78,', at)
    writeFileSync(path, damaged)
    const error = await failureOf(readEverything(path))
    expect(error).instanceOf(DamagedLog)
    expect(error.message).match(/ledger-[abc]@77, position \d+/)
  })

  it('is refused where the file is cut, is empty of pages, or is no database', async () => {
    for (const content of [whole.subarray(0, whole.length - 3 * pageBytes), Buffer.alloc(9_000)]) {
      writeFileSync(path, content)
      const error = await failureOf(openSqliteEventStore({ path }).then(() => readEverything(path)))
      expect(error, error.message).instanceOf(DamagedLog)
    }
  })

  it('at the end of the write-ahead log costs what was not acknowledged, and nothing else', async () => {
    const source = join(folder, 'with-wal.db')
    const store = await openSqliteEventStore({ path: source })
    const event = (n: number) => ({
      ...{ id: randomUUID(), type: 'TransactionPosted', metadata: '{}' },
      data: JSON.stringify({ n }),
    })
    await store.append('ledger-a', 'no-stream', [event(0), event(1)])
    const acknowledged = readFileSync(`${source}-wal`).length
    await store.append('ledger-a', 1n, [event(2), event(3)])
    const end = readFileSync(`${source}-wal`).length
    const { below } = seeded(22)
    for (let cut = 0; cut < 8; cut += 1) {
      const bytes = acknowledged + below(end - acknowledged)
      const torn = join(folder, `torn-${cut}.db`)
      copyFileSync(source, torn)
      writeFileSync(`${torn}-wal`, readFileSync(`${source}-wal`).subarray(0, bytes))
      const after = await openSqliteEventStore({ path: torn })
      const events = (await Array.fromAsync(after.readStream('ledger-a'))).flat()
      expect(events.map(({ data }) => data)).deep.equal(['{"n":0}', '{"n":1}'])
      await after.append('ledger-a', 1n, [event(2)])
      await after.close()
    }
    await store.close()
  })

  it('of another program’s database, or of a newer format, is refused as what it is', async () => {
    const other = new DatabaseSync(path)
    other.exec('PRAGMA user_version = 99')
    other.close()
    expect((await failureOf(openSqliteEventStore({ path }))).message).contain('use a newer one')
    const foreign = join(folder, 'foreign.db')
    const db = new DatabaseSync(foreign)
    db.exec('CREATE TABLE notes (text TEXT)')
    db.close()
    const error = await failureOf(openSqliteEventStore({ path: foreign }))
    expect(error.message).contain('not an event log of Evident')
  })
})
