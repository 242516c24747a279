import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { openSqliteEventReader, openSqliteEventStore } from '../adapters/sqlite-event-store.ts'
import { openSqliteReadModels } from '../adapters/sqlite-read-models.ts'
import { projections } from '../app/projections.ts'
import type { EventStore, NewEvent } from '../events/event-store.ts'
import { type LedgerEvent, ledgerCodec } from '../events/ledger.ts'
import { identifyLog } from '../events/log-identity.ts'
import { fillBuilds } from '../projections/fill-builds.ts'
import { fillShares } from '../projections/fill-shares.ts'

/** Rebuilds all projections of a ledger of 10,000 accounts from its log, on two threads. */

const accountCount = 10_000
const eventsPerAppend = 1_000

/** What each thread fills, as in the product. */
const shares = fillShares(
  projections.map((projection) => ({ projection, build: `${projection.name}-v1.1` })),
)

interface Share {
  readonly folder: string
  readonly changes: SharedArrayBuffer
  readonly logId: string
  readonly index: number
}

if (isMainThread) await main()
else await fillShare(workerData as Share)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '1000000' },
      folder: { type: 'string' },
      share: { type: 'string' },
    },
  })
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'evident-rebuild-'))
  const store = await openSqliteEventStore({ path: join(folder, 'events.db') })
  try {
    const logId = await identifyLog(store, { newId: randomUUID, now: new Date().toISOString() })
    const count = Number(values.events)
    if ((await store.lastRevision('ledger-bank')) === undefined) await appendLedger(store, count)
    const begin = performance.now()
    const mine = shares.map((_, index) => index).filter((i) => (values.share ?? `${i}`) === `${i}`)
    const share = { folder, changes: store.changes, logId }
    if (values.share !== undefined) await fillShare({ ...share, index: Number(values.share) })
    else await Promise.all(mine.map((index) => runThread({ ...share, index })))
    const seconds = (performance.now() - begin) / 1_000
    const value = Math.round(count / seconds)
    console.log(
      JSON.stringify({ name: 'rebuild', value, unit: 'events/s', events: count, seconds }),
    )
  } finally {
    await store.close()
    rmSync(join(folder, 'read-models'), { recursive: true, force: true })
    if (values.folder === undefined) rmSync(folder, { recursive: true })
  }
}

function runThread(share: Share): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), {
      workerData: share,
    })
    thread.once('error', reject)
    thread.once('exit', () => resolve())
  })
}

async function fillShare({ folder, changes, logId, index }: Share): Promise<void> {
  const store = openSqliteEventReader({ path: join(folder, 'events.db'), changes })
  const readModels = openSqliteReadModels({ folder: join(folder, 'read-models') })
  const begin = performance.now()
  const builds = shares[index] ?? []
  let filledMs = 0
  await fillBuilds(builds, {
    ...{ store, readModels, logId },
    onProgress: () => {
      filledMs = performance.now() - begin
    },
  })
  const cpu = process.threadCpuUsage()
  const figures = {
    share: builds.map(({ build }) => build),
    filledMs: Math.round(filledMs),
    wholeMs: Math.round(performance.now() - begin),
    processorMs: Math.round((cpu.user + cpu.system) / 1_000),
  }
  console.error(JSON.stringify(figures))
  await readModels.close()
  await store.close()
}

async function appendLedger(store: EventStore, count: number): Promise<void> {
  let revision = -1n
  let batch: NewEvent[] = []
  const append = async () => {
    const expected = revision === -1n ? 'no-stream' : revision
    ;({ revision } = await store.append('ledger-bank', expected, batch))
    batch = []
  }
  for (let index = 0; index < count; index += 1) {
    batch.push(encode(eventAt(index), index))
    if (batch.length === eventsPerAppend) await append()
  }
  if (batch.length > 0) await append()
}

function timeAt(index: number): string {
  return new Date(1_767_225_600_000 + index * 25_000).toISOString()
}

function account(number: number): string {
  return `customers:${number % accountCount}`
}

function eventAt(index: number): LedgerEvent {
  if (index === 0) return { type: 'LedgerCreated', data: { accountOpening: 'explicit' } }
  if (index <= accountCount) {
    const overdrafts = { 'CZK/2': 'unlimited' }
    return { type: 'AccountOpened', data: { account: account(index), overdrafts } }
  }
  const from = (index * 7_919) % accountCount
  const step = 1 + ((index * 104_729) % (accountCount - 1))
  const posting = { amount: `${100 + (index % 9_000)}`, asset: 'CZK/2' }
  return {
    type: 'TransactionPosted',
    data: {
      id: `tx-${(index * 2_654_435_761) % 4_294_967_296}-${index}`,
      effectiveAt: timeAt(index),
      postings: [{ ...posting, from: account(from), to: account(from + step) }],
    },
  }
}

function encode(event: LedgerEvent, index: number): NewEvent {
  const command = {
    caller: 'anonymous',
    count: 1,
    hash: `sha256:${'x'.repeat(43)}`,
    index: 0,
    key: `key-${index}`,
    type: 'PostTransaction',
  }
  return ledgerCodec.encode(event, randomUUID(), { command, recordedAt: timeAt(index) })
}
