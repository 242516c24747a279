import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import type { NewEvent } from '../../events/event-store.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'

interface Recorded {
  readonly from: string
  readonly amount: string
  readonly id?: string
  /** Events of the command that it says it is of. */
  readonly count?: number
}

/** The event of a transaction to bob, as no service would have decided it. */
export function recordedTransaction({ from, amount, id = 'late', count = 1 }: Recorded): NewEvent {
  const recordedAt = '2099-01-01T00:00:00.000Z'
  const postings = [{ from, to: 'bob', asset: 'CZK/2', amount }]
  const hash = `sha256:${'A'.repeat(43)}`
  const command = { caller: 'anonymous', count, hash, index: 0, type: 'PostTransaction' }
  return {
    id: randomUUID(),
    type: 'TransactionPosted',
    data: canonicalJson({ effectiveAt: recordedAt, id, postings }),
    metadata: canonicalJson({ command, recordedAt, schemaVersion: 1 }),
  }
}

/** Puts events behind those of `ledger-main` in a folder that nobody serves, past every rule. */
export async function appendTo(data: string, ...events: readonly NewEvent[]): Promise<void> {
  const store = await openSqliteEventStore({ path: join(data, 'events.db') })
  const last = await store.lastRevision('ledger-main')
  await store.append('ledger-main', last ?? 'no-stream', events)
  await store.close()
}
