import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/**
 * Documents written after which the write-ahead log is copied into the database: soon where there is
 * nothing else to do, so that nobody waits for it; late while work comes without a pause, as a page
 * that was written many times is copied once.
 */
const documentsUntil = { whenIdle: 500, inAnyCase: 400_000 }

/** A write-ahead log of this size is copied in any case, and its file emptied: 256 MiB. */
const maxLogBytes = 268_435_456

/** No write for so long: there is time. */
const idleAfterMs = 3

export interface Checkpoints {
  /** Makes the checkpoint that may not wait any longer. */
  beforeWrite(): void
  afterWrite(documents: number): void
  stop(): void
}

/** Checkpoints of a build on the thread that writes it, at the moments that disturb least. */
export function createCheckpoints(
  db: DatabaseSync,
  path: string,
  { maxBytes = maxLogBytes } = {},
): Checkpoints {
  let written = 0
  let idle: ReturnType<typeof setTimeout> | undefined

  /** Not within a transaction, which ends with the write that says how far it is. */
  function checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): void {
    if (db.isTransaction) return
    db.exec(`PRAGMA wal_checkpoint(${mode})`)
    written = 0
  }

  function whenIdle(): void {
    if (written < documentsUntil.whenIdle) return
    try {
      checkpoint('PASSIVE')
    } catch {
      // `written` stays: it is tried again after the next write, and thrown by one in the end
    }
  }

  const logBytes = (): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0

  return {
    beforeWrite() {
      if (logBytes() >= maxBytes) checkpoint('TRUNCATE')
      else if (written >= documentsUntil.inAnyCase) checkpoint('PASSIVE')
    },
    afterWrite(documents) {
      written += documents
      idle ??= setTimeout(whenIdle, idleAfterMs).unref()
      idle.refresh()
    },
    stop: () => clearTimeout(idle),
  }
}
