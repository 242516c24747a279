import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import type { CommandRequest, Outcome } from '../../command-service/command.ts'
import type { LedgerCommand } from '../../command-service/domain/ledger/commands.ts'
import type { LedgerRejectionCode } from '../../command-service/domain/ledger/rejections.ts'
import { openFileIdIndex } from '../../command-service/file-id-index.ts'
import { type CommandHandler, createCommandHandler } from '../../command-service/handle-command.ts'
import type { IdIndex } from '../../command-service/id-index.ts'
import { ledgerDomain } from '../../command-service/ledger-domain.ts'
import { createSnapshots } from '../../command-service/snapshots.ts'
import type { EventStore, RecordedEvent } from '../../events/event-store.ts'
import type { LedgerEvent } from '../../events/ledger.ts'

type LedgerHandler = CommandHandler<LedgerCommand, LedgerEvent, LedgerRejectionCode>

export interface LedgerUnderTest {
  readonly handler: LedgerHandler
  readonly store: EventStore
  /** Troubles that were told of. */
  readonly troubles: string[]
  send(
    command: LedgerCommand,
    more?: Partial<CommandRequest<LedgerCommand>>,
  ): ReturnType<LedgerHandler['handle']>
  events(): Promise<RecordedEvent[]>
}

export interface Setup {
  readonly store: EventStore
  readonly folder: string
  readonly logId?: string
  readonly foldVersion?: string
  readonly clock?: () => number
  readonly maxHotBytes?: number
  readonly index?: IdIndex
  readonly stopTimeoutMs?: number
}

/** A handler for the ledger `demo`, over any store; index and snapshots in the folder. */
export async function openHandler(setup: Setup): Promise<LedgerUnderTest> {
  const { store, folder, logId = 'log-1', foldVersion = 'v1', clock = Date.now } = setup
  const troubles: string[] = []
  const handler = createCommandHandler({
    domain: ledgerDomain,
    store,
    index: setup.index ?? (await openFileIdIndex({ folder: join(folder, 'ids'), logId })),
    snapshots: createSnapshots({
      folder: join(folder, 'snapshots'),
      logId,
      foldVersion,
      form: ledgerDomain.snapshot,
      store,
    }),
    clock,
    newId: randomUUID,
    observer: { decided() {}, appended() {}, conflicted() {}, indexLost() {} },
    maxHotBytes: setup.maxHotBytes ?? 256 * 1024 * 1024,
    stopTimeoutMs: setup.stopTimeoutMs ?? 5_000,
    onTrouble: (what) => troubles.push(what),
  })
  return {
    handler,
    store,
    troubles,
    send: (command, more = {}) =>
      handler.handle('demo', {
        command,
        content: command,
        caller: 'anonymous',
        deadline: clock() + 60_000,
        ...more,
      }),
    async events() {
      const all: RecordedEvent[] = []
      for await (const batch of store.readStream('ledger-demo')) all.push(...batch)
      return all
    },
  }
}

export const openStore = (folder: string): Promise<EventStore> =>
  openSqliteEventStore({ path: join(folder, 'events.db') })

export const create: LedgerCommand = { type: 'CreateLedger', accountOpening: 'on-first-use' }

export const openBank: LedgerCommand = {
  type: 'OpenAccount',
  account: 'bank',
  overdrafts: { 'CZK/2': 'unlimited' },
}

export const pay = (id: string, amount: string, from: string, to: string): LedgerCommand => ({
  type: 'PostTransaction',
  id,
  postings: [{ amount, asset: 'CZK/2', from, to }],
})

/** A short text of an outcome, for comparing. */
export const brief = (outcome: Outcome<LedgerEvent>): string => {
  if (outcome.status === 'refused') return outcome.rejection.code
  const { revision, replayed, events } = outcome
  return `${replayed ? 'replayed' : 'accepted'} ${revision ?? '-'} ${events.map(({ event }) => event.type).join()}`.trim()
}
