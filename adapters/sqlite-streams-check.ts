import { Worker } from 'node:worker_threads'
import { DamagedLog } from '../events/event-store.ts'
import { adviceOnDamage, asDamage, openLogForReading } from './sqlite-event-log.ts'

/**
 * A stream whose name is damaged would be taken for one that was never there, and begun anew. So no
 * name counts as missing before all of them have been checked. A few are checked while the log is
 * being opened, in up to 50 ms; a million take seconds and are checked beside, on a thread.
 */
export const maxCheckedFirst = 20_000

/** How far the check is, in memory that the threads share. */
const states = { underWay: 0, whole: 1, damaged: 2 } as const

export const newStreamsState = (): SharedArrayBuffer => new SharedArrayBuffer(4)

/** Checks the names where they are few. @throws {DamagedLog} */
export function checkFewStreams(path: string, shared: SharedArrayBuffer): void {
  const db = openLogForReading(path)
  try {
    const last = Number(db.prepare('SELECT max(key) AS last FROM streams').get()?.last ?? 0)
    if (last > maxCheckedFirst) return
  } finally {
    db.close()
  }
  checkStreams(path, shared)
}

/** Checks every name, in the table and in its index, and lets those go on who wait. @throws {DamagedLog} */
export function checkStreams(path: string, shared: SharedArrayBuffer): void {
  let found: number = states.damaged
  const db = openLogForReading(path)
  try {
    const result = db.prepare('PRAGMA integrity_check(streams)').get()?.integrity_check
    if (result !== 'ok') throw new DamagedLog(`${path} is damaged (${result}): ${adviceOnDamage}`)
    found = states.whole
  } catch (error) {
    throw asDamage(error, path)
  } finally {
    db.close()
    settle(shared, found)
  }
}

function settle(shared: SharedArrayBuffer, found: number): void {
  const state = new Int32Array(shared)
  Atomics.store(state, 0, found)
  Atomics.notify(state, 0)
}

/** Goes on with the check on a thread where it is not done yet; resolves when it is, whatever it found. */
export async function finishCheck(path: string, shared: SharedArrayBuffer): Promise<void> {
  if (Atomics.load(new Int32Array(shared), 0) !== states.underWay) return
  const thread = new Worker(new URL('./sqlite-streams-thread.ts', import.meta.url), {
    workerData: { path, shared },
  })
  await new Promise<void>((resolve) => {
    thread.once('error', () => settle(shared, states.damaged)) // also where it could not be read
    thread.once('exit', () => resolve())
  })
}

/** What a thread asks before it acts on the names of streams. @throws {DamagedLog} by each */
export interface StreamsGuard {
  /** Nothing is done on names that are known to be damaged. */
  refuseDamage(): void
  /** Returns when all are checked. It holds the thread up: a missing name must be missing for sure. */
  waitHere(): void
  wait(): Promise<void>
}

export function guardStreams(path: string, shared: SharedArrayBuffer): StreamsGuard {
  const state = new Int32Array(shared)
  function refuseDamage(): void {
    if (Atomics.load(state, 0) !== states.damaged) return
    throw new DamagedLog(`${path} is damaged in the names of its streams: ${adviceOnDamage}`)
  }
  return {
    refuseDamage,
    waitHere() {
      Atomics.wait(state, 0, states.underWay)
      refuseDamage()
    },
    async wait() {
      await Atomics.waitAsync(state, 0, states.underWay).value
      refuseDamage()
    },
  }
}

/** For readers beside a process that has the log open and guards it. */
export const unguarded: StreamsGuard = {
  refuseDamage() {},
  waitHere() {},
  async wait() {},
}
