import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  type Appended,
  AppendOutcomeUnknown,
  AppendTooLarge,
  bytesOf,
  DamagedLog,
  type EventStore,
  EventStoreUnavailable,
  maxAppendBytes,
  maxEventsPerAppend,
  type NewEvent,
  WrongExpectedRevision,
} from '../events/event-store.ts'
import { type Append, type AppendResult, pack } from './sqlite-batch-writer.ts'
import { positionText } from './sqlite-event-log.ts'
import { createLogReader, type LogReader } from './sqlite-event-reader.ts'
import { takeLock } from './sqlite-lock.ts'
import { finishCheck, guardStreams, newStreamsState } from './sqlite-streams-check.ts'

/** Appends that may wait for the one transaction under way, in number and in bytes. */
const maxWaitingAppends = 10_000
const maxWaitingBytes = 64 * 1024 * 1024

export interface SqliteEventStore extends EventStore {
  /** Counts the log's changes in memory that threads share: what a reader elsewhere is woken by. */
  readonly changes: SharedArrayBuffer
}

export interface SqliteEventStoreOptions {
  readonly path: string
  /**
   * Told when nothing can be appended any more, because the writing thread ended. Left out, it ends
   * the process: what starts it anew finds the log whole, and a service that cannot write is none.
   */
  readonly onWriterLost?: (error: Error) => void
}

/**
 * Opens a log for appending and reading; it makes the folder and the file where there are none.
 * One process at a time: the lock is held until `close`.
 * @throws {FolderInUse} @throws {DamagedLog}
 */
export async function openSqliteEventStore({
  path,
  onWriterLost = endProcess,
}: SqliteEventStoreOptions): Promise<SqliteEventStore> {
  mkdirSync(dirname(path), { recursive: true })
  const lock = takeLock(`${path}.lock`)
  const changes = new SharedArrayBuffer(4)
  try {
    const streams = newStreamsState()
    const writer = await startWriter({ path, changes, streams }, onWriterLost)
    const checked = finishCheck(path, streams)
    const reader = createLogReader({ path, changes, guard: guardStreams(path, streams) })
    return {
      ...reader,
      changes,
      exclusive: true,
      append: writer.append,
      async close() {
        await writer.close()
        await checked
        await reader.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** From a turn of its own, where nobody can catch it, and after the appends have been answered. */
function endProcess(error: Error): void {
  setImmediate(() => {
    throw error
  })
}

/** The reading half alone, for another thread of the process that has the log open. */
export function openSqliteEventReader(options: {
  readonly path: string
  readonly changes: SharedArrayBuffer
}): LogReader {
  return createLogReader(options)
}

interface Waiting {
  readonly append: Append
  readonly bytes: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: Error) => void
}

/** What the writing thread makes is gone with the batch: more room only takes longer to fill. */
const maxYoungGenerationSizeMb = 8

interface WriterData {
  readonly path: string
  readonly changes: SharedArrayBuffer
  readonly streams: SharedArrayBuffer
}

async function startWriter(workerData: WriterData, onLost: (error: Error) => void) {
  const thread = new Worker(new URL('./sqlite-writer-thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb },
  })
  await new Promise<void>((resolve, reject) => {
    thread.once('message', () => resolve())
    thread.once('error', (error: Error) =>
      reject(
        'code' in error && error.code === 'DAMAGED_LOG' ? new DamagedLog(error.message) : error,
      ),
    )
  })

  const ended = new Promise((resolve) => thread.once('exit', resolve))
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let underWay: readonly Waiting[] = []
  let dead: Error | undefined
  let isOver = false
  let whenIdle: (() => void) | undefined

  /** All that waits goes into one transaction: appends that come meanwhile wait for the next. */
  function sendNext(): void {
    if (underWay.length > 0) return
    if (waiting.length === 0) {
      whenIdle?.()
      return
    }
    underWay = waiting
    waiting = []
    waitingBytes = 0
    thread.postMessage(underWay.map(({ append }) => pack(append)))
  }

  thread.on('message', (results: readonly AppendResult[]) => {
    const answered = underWay
    underWay = []
    sendNext()
    for (const [index, one] of answered.entries()) settle(one, results[index])
  })
  function lose(cause: Error): void {
    if (isOver) return
    isOver = true
    const lost = new EventStoreUnavailable('the writing thread ended', { cause })
    const unknown = new AppendOutcomeUnknown('the writing thread ended', { cause })
    for (const one of underWay) one.reject(unknown)
    for (const one of waiting) one.reject(lost)
    dead = lost
    underWay = []
    waiting = []
    whenIdle?.()
    onLost(lost)
  }
  thread.on('error', lose)
  thread.on('exit', (code) => lose(new Error(`it ended with code ${code}`)))

  return {
    append(stream: string, expected: Append['expected'], events: readonly NewEvent[]) {
      const bytes = events.reduce((sum, event) => sum + bytesOf(event), 0)
      if (bytes > maxAppendBytes || events.length > maxEventsPerAppend) {
        const size = `${events.length} events, ${bytes} bytes`
        return Promise.reject(new AppendTooLarge(`one append holds too much: ${size}`))
      }
      if (dead) return Promise.reject(dead)
      if (waiting.length >= maxWaitingAppends || waitingBytes + bytes > maxWaitingBytes) {
        return Promise.reject(new EventStoreUnavailable('too many appends are waiting'))
      }
      return new Promise<Appended>((resolve, reject) => {
        waiting.push({ append: { stream, expected, events }, bytes, resolve, reject })
        waitingBytes += bytes
        sendNext()
      })
    },

    async close() {
      dead ??= new EventStoreUnavailable('the event store is closed')
      await new Promise<void>((resolve) => {
        whenIdle = resolve
        sendNext()
      })
      isOver = true
      thread.postMessage('close')
      await ended
    },
  }
}

function settle({ append, resolve, reject }: Waiting, result: AppendResult | undefined): void {
  switch (result?.outcome) {
    case 'appended':
      resolve({ revision: result.revision, position: positionText(result.position) })
      break
    case 'wrong-revision':
      reject(new WrongExpectedRevision(append.stream, append.expected, result.actual))
      break
    case 'unavailable':
      reject(new EventStoreUnavailable(result.reason))
      break
    default:
      reject(new AppendOutcomeUnknown(result?.reason ?? 'the writer did not answer'))
  }
}
