import { openSqliteEventReader } from '../../adapters/sqlite-event-store.ts'
import type { EventMetadata } from '../../events/event-metadata.ts'
import type { LedgerEvent } from '../../events/ledger.ts'

/** An event as it stands in the log, parsed without the program's own codec. */
export interface Logged {
  readonly id: string
  readonly stream: string
  readonly revision: bigint
  readonly position: string
  readonly event: LedgerEvent | { readonly type: 'CommandAccepted'; readonly data: object }
  readonly metadata: EventMetadata
}

/** All that is in the log of a folder, also while a server has it open. */
export async function readLog(eventStorePath: string): Promise<readonly Logged[]> {
  const reader = openSqliteEventReader({
    path: eventStorePath,
    changes: new SharedArrayBuffer(4),
  })
  const all: Logged[] = []
  try {
    for await (const events of reader.readAll()) {
      for (const { id, stream, revision, position, type, data, metadata } of events) {
        const event = { type, data: JSON.parse(data) } as Logged['event']
        all.push({ id, stream, revision, position, event, metadata: JSON.parse(metadata) })
      }
    }
  } finally {
    await reader.close()
  }
  return all
}
