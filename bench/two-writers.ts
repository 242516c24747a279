import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteEventStore } from '../adapters/sqlite-event-store.ts'
import type { LedgerCommand } from '../command-service/domain/ledger/commands.ts'
import { openFileIdIndex } from '../command-service/file-id-index.ts'
import { createCommandHandler } from '../command-service/handle-command.ts'
import { ledgerDomain } from '../command-service/ledger-domain.ts'
import { createSnapshots } from '../command-service/snapshots.ts'
import type { EventStore } from '../events/event-store.ts'
import { median, print, round, spreadOf } from './result.ts'
import { newFolder, removeFolder } from './service.ts'

/** Two handlers on one ledger over one store, as two processes would be, against one alone. */
const [count, underWay, repeats] = [20_000, 512, 5]

async function openHandler(store: EventStore, folder: string) {
  const logId = 'bench'
  return createCommandHandler({
    domain: ledgerDomain,
    store,
    index: await openFileIdIndex({ folder: join(folder, 'ids'), logId }),
    snapshots: createSnapshots({
      ...{ folder: join(folder, 'snapshots'), logId, foldVersion: 'bench', store },
      form: ledgerDomain.snapshot,
    }),
    clock: Date.now,
    newId: randomUUID,
    observer: { decided() {}, appended() {}, conflicted() {}, indexLost() {} },
    maxHotBytes: 2 ** 30,
    stopTimeoutMs: 5_000,
    onTrouble: (what, cause) => console.error(what, cause),
  })
}

type Handler = Awaited<ReturnType<typeof openHandler>>

async function send(handler: Handler, command: LedgerCommand): Promise<void> {
  const request = { command, content: command, caller: 'bench', deadline: Date.now() + 60_000 }
  const outcome = await handler.handle('bank', request)
  if (outcome.status !== 'accepted' || outcome.replayed) throw new Error(JSON.stringify(outcome))
}

async function sendAll(handler: Handler, prefix: string): Promise<void> {
  let next = 0
  const client = async () => {
    while (next < count) {
      next += 1
      const [from, to] = ['bank', `customers:${next % 1_000}`]
      const postings = [{ amount: '1', asset: 'CZK/2', from, to }]
      await send(handler, { type: 'PostTransaction', id: `${prefix}-${next}`, postings })
    }
  }
  await Promise.all(Array.from({ length: underWay }, client))
}

/** Commands a second of all handlers together. */
async function measure(handlers: readonly Handler[]): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(handlers.map((handler) => sendAll(handler, randomUUID())))
  return (count * handlers.length) / ((performance.now() - startedAt) / 1_000)
}

const folder = newFolder()
const exclusive = await openSqliteEventStore({ path: join(folder, 'events.db') })
const store: EventStore = { ...exclusive, exclusive: false }
try {
  const one = await openHandler(store, join(folder, 'one'))
  const two = await openHandler(store, join(folder, 'two'))
  await send(one, { type: 'CreateLedger', accountOpening: 'on-first-use' })
  await send(one, {
    type: 'OpenAccount',
    account: 'bank',
    overdrafts: { 'CZK/2': 'unlimited' },
  })
  await measure([one])
  const alone: number[] = []
  const both: number[] = []
  for (let run = 0; run < repeats; run += 1) {
    alone.push(await measure([one]))
    both.push(await measure([one, two]))
  }
  const ratios = both.map((rate, run) => rate / (alone[run] ?? Number.NaN))
  const [low, high] = spreadOf(both)
  print({
    name: 'two-writers',
    value: Math.round(median(both)),
    unit: 'commands/s',
    spread: [Math.round(low), Math.round(high)],
    ratio: round(median(ratios)),
    also: { alone: Math.round(median(alone)) },
  })
  await one.close()
  await two.close()
} finally {
  await exclusive.close()
  removeFolder(folder)
}
