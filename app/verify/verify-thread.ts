import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteEventReader } from '../../adapters/sqlite-event-store.ts'
import { lowerThreadPriority } from '../../platform/thread-priority.ts'
import type { Config } from '../config.ts'
import { importDomains } from '../domain-entry.ts'
import type { Verification, VerifyProgress } from './verification.ts'
import { verify } from './verify.ts'

/** What the thread is given. */
export interface VerifyThreadData {
  readonly config: Config
  readonly eventChanges: SharedArrayBuffer
  readonly logId: string
  /** URL of the module that lists the domains. */
  readonly domainsModule: string
}

export type VerifyMessage =
  | { readonly progress: VerifyProgress }
  | { readonly verification: Verification }

/** Verifies through readers of its own, so that it holds up neither commands nor queries. */
const { config, eventChanges, logId, domainsModule } = workerData as VerifyThreadData
lowerThreadPriority()
const tell = (message: VerifyMessage) => parentPort?.postMessage(message)
const store = openSqliteEventReader({ path: config.eventStorePath, changes: eventChanges })
const verification = await verify(config, {
  ...{ store, logId, domains: await importDomains(domainsModule) },
  onProgress: (progress) => tell({ progress }),
})
await store.close()
tell({ verification })
