import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteEventStore, type SqliteEventStore } from '../adapters/sqlite-event-store.ts'
import { openFileIdIndex } from '../command-service/file-id-index.ts'
import { foldVersion } from '../command-service/fold-version.ts'
import { type CommandHandler, createCommandHandler } from '../command-service/handle-command.ts'
import { createSnapshots } from '../command-service/snapshots.ts'
import type { DomainEvent } from '../events/codec.ts'
import { identifyLog } from '../events/log-identity.ts'
import { systemClock, timestamp } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Config } from './config.ts'
import type { DomainService } from './domain-entry.ts'

type Handler = CommandHandler<{ readonly type: string }, DomainEvent, string>

/** The log, and over it a handler of commands for each domain. */
export interface WriteSide {
  readonly store: SqliteEventStore
  readonly logId: string
  readonly handlers: ReadonlyMap<DomainService, Handler>
  close(): Promise<void>
}

interface WriteSideOptions {
  readonly domains: readonly DomainService[]
  readonly log: Log
  readonly metrics: Metrics
}

/** @throws {FolderInUse} @throws {DamagedLog} */
export async function openWriteSide(config: Config, options: WriteSideOptions): Promise<WriteSide> {
  await using opening = new AsyncDisposableStack() // closes what is open when a later part fails
  const store = await openSqliteEventStore({ path: config.eventStorePath })
  opening.defer(store.close)
  const now = timestamp(systemClock())
  const logId = await identifyLog(store, { newId: randomUUID, now })
  const handlers = new Map<DomainService, Handler>()
  for (const service of options.domains) {
    const handler = await openHandler(config, service, { ...options, store, logId })
    opening.defer(handler.close)
    handlers.set(service, handler)
  }
  const open = opening.move()
  return { store, logId, handlers, close: () => open.disposeAsync() }
}

/** Streams of the domain's category are decided here; its states get an equal share of memory. */
async function openHandler(
  { dataFolder, maxHotBytes, stopTimeoutMs }: Config,
  { domain }: DomainService,
  { domains, store, logId, log, metrics }: WriteSideOptions & Pick<WriteSide, 'store' | 'logId'>,
): Promise<Handler> {
  return createCommandHandler({
    domain,
    store,
    index: await openFileIdIndex({ folder: join(dataFolder, 'ids', domain.category), logId }),
    snapshots: createSnapshots({
      folder: join(dataFolder, 'snapshots'),
      logId,
      foldVersion: foldVersion(domain.sources),
      form: domain.snapshot,
      store,
    }),
    clock: systemClock,
    newId: randomUUID,
    observer: {
      decided: (_commands, seconds) => metrics.decide.observe(seconds),
      appended: (_events, seconds) => metrics.append.observe(seconds),
      conflicted: () => log.debug('another process appended first'),
      indexLost: (error) => log.warn({ error }, 'the id index was damaged and is made anew'),
    },
    maxHotBytes: maxHotBytes / domains.length,
    onTrouble: (what, error) => log.warn({ error }, what),
    stopTimeoutMs,
  })
}
