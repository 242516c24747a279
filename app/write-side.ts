import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteEventStore, type SqliteEventStore } from '../adapters/sqlite-event-store.ts'
import type { LedgerCommand } from '../command-service/domain/ledger/commands.ts'
import type { LedgerRejectionCode } from '../command-service/domain/ledger/rejections.ts'
import { openFileIdIndex } from '../command-service/file-id-index.ts'
import { foldVersion } from '../command-service/fold-version.ts'
import { type CommandHandler, createCommandHandler } from '../command-service/handle-command.ts'
import { ledgerDomain } from '../command-service/ledger-domain.ts'
import { createSnapshots } from '../command-service/snapshots.ts'
import type { LedgerEvent } from '../events/ledger.ts'
import { identifyLog } from '../events/log-identity.ts'
import { systemClock, timestamp } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Config } from './config.ts'

/** The log and the handler of commands over it. */
export interface WriteSide {
  readonly store: SqliteEventStore
  readonly logId: string
  readonly ledgers: CommandHandler<LedgerCommand, LedgerEvent, LedgerRejectionCode>
  close(): Promise<void>
}

/** @throws {FolderInUse} @throws {DamagedLog} */
export async function openWriteSide(
  config: Config,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
): Promise<WriteSide> {
  const store = await openSqliteEventStore({ path: config.eventStorePath })
  try {
    const now = timestamp(systemClock())
    const logId = await identifyLog(store, { newId: randomUUID, now })
    const ledgers = createCommandHandler({
      domain: ledgerDomain,
      store,
      index: await openFileIdIndex({ folder: join(config.dataFolder, 'ids'), logId }),
      snapshots: createSnapshots({
        folder: join(config.dataFolder, 'snapshots'),
        logId,
        foldVersion: foldVersion(ledgerDomain.sources),
        form: ledgerDomain.snapshot,
        store,
      }),
      clock: systemClock,
      newId: randomUUID,
      observer: {
        decided: (_commands, seconds) => metrics.decide.observe(seconds),
        appended: (_events, seconds) => metrics.append.observe(seconds),
        conflicted: () => log.debug('another process appended first'),
      },
      maxHotBytes: config.maxHotBytes,
      onTrouble: (what, error) => log.warn({ error }, what),
      stopTimeoutMs: config.stopTimeoutMs,
    })
    return {
      store,
      logId,
      ledgers,
      async close() {
        await ledgers.close()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
