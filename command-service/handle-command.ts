import type { DomainEvent } from '../events/codec.ts'
import { canonicalJson } from '../platform/canonical-json.ts'
import { type CommandRequest, type Outcome, Overloaded } from './command.ts'
import type { Candidate } from './decide-batch.ts'
import { contentHash, keyName } from './fingerprint.ts'
import { createHotStream, type HotStream, type HotStreamOptions } from './hot-stream.ts'
import { createRecall, seek } from './recall.ts'

/** Commands that wait for an answer, over all streams, and the bytes of what was sent with them. */
export const maxWaitingCommands = 20_000
export const maxWaitingBytes = 67_108_864

/** Beyond so many, those who send many commands wait for room; single ones are still taken. */
export const manyWaitingCommands = 15_000
export const manyWaitingBytes = 50_331_648

/** How often deadlines are looked at. */
const expiryIntervalMs = 50

/** Events after which a stream's snapshot is made anew. */
const eventsBetweenSnapshots = 100_000n

/** How often snapshots and the memory limit are looked at. */
const tidyIntervalMs = 1_000

/** Decides one command on a stream of the domain, by the stream's id. Refusals are outcomes. */
export type HandleCommand<Command, Event, Code extends string> = (
  id: string,
  request: CommandRequest<Command>,
) => Promise<Outcome<Event, Code>>

export interface CommandHandler<Command, Event, Code extends string> {
  /**
   * @throws {Overloaded} nothing was done
   * @throws {OutcomeUnknown} it may have been done
   * @throws {StreamUnavailable}
   * @throws {EventStoreUnavailable} nothing was done
   */
  readonly handle: HandleCommand<Command, Event, Code>
  /** For senders of many commands: what to wait for before the next, if anything. */
  readonly room: () => Promise<void> | undefined
  readonly stats: () => HandlerStats
  /** Refuses new commands, answers those it has, then keeps what makes the next start quick. */
  close(): Promise<void>
}

export interface HandlerStats {
  readonly waitingCommands: number
  /** Of their contents as canonical JSON. */
  readonly waitingBytes: number
  readonly hotStreams: number
  readonly hotBytes: number
}

export interface CommandHandlerOptions<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
> extends Omit<
    HotStreamOptions<Command, Event, State, Code>,
    'recall' | 'stopSettling' | 'onAnswered'
  > {
  /** What the folded states in memory may take; idle ones go first. */
  readonly maxHotBytes: number
  /** Something that only costs time went wrong: a snapshot or the index could not be written. */
  readonly onTrouble: (what: string, cause: unknown) => void
  /** How long `close` goes on settling appends whose outcome is unknown. */
  readonly stopTimeoutMs: number
}

/** The write side: commands in, durable events out. One stream is decided by one loop, in order. */
export function createCommandHandler<
  Command extends { readonly type: string },
  Event extends DomainEvent,
  State,
  Code extends string,
>(
  options: CommandHandlerOptions<Command, Event, State, Code>,
): CommandHandler<Command, Event, Code> {
  const { domain, store, index, clock, maxHotBytes, onTrouble } = options
  const stopSettling = new AbortController()
  const hotOptions = {
    ...options,
    recall: createRecall({ store, index, codec: domain.codec, namesIn: domain.namesIn }),
    stopSettling: stopSettling.signal,
    onAnswered,
  }
  /** In the order of their last use. */
  const streams = new Map<string, HotStream<Command, Event, Code>>()
  let waiting = 0
  let waitingBytes = 0
  let isClosing = false
  let whenDrained: (() => void) | undefined
  let hasRoom: PromiseWithResolvers<void> | undefined

  const areMany = (): boolean => waiting >= manyWaitingCommands || waitingBytes >= manyWaitingBytes

  function onAnswered(commands: number, bytes: number): void {
    waiting -= commands
    waitingBytes -= bytes
    if (hasRoom && !areMany()) {
      hasRoom.resolve()
      hasRoom = undefined
    }
    if (waiting <= 0) whenDrained?.()
  }

  function hotStream(stream: string): HotStream<Command, Event, Code> {
    const known = streams.get(stream)
    if (known) streams.delete(stream)
    const hot = known ?? createHotStream(stream, hotOptions)
    streams.set(stream, hot)
    return hot
  }

  function candidate(stream: string, request: CommandRequest<Command>): Candidate<Command> {
    const { idempotencyKey, caller, command } = request
    const own = domain.nameOf(command)
    const content = canonicalJson(request.content)
    return {
      request,
      hash: contentHash(stream, content),
      bytes: Buffer.byteLength(content),
      key: idempotencyKey === undefined ? undefined : seek(stream, keyName(caller, idempotencyKey)),
      own: own && seek(stream, own),
    }
  }

  const expiry = setInterval(() => {
    if (waiting === 0) return
    const now = clock()
    for (const hot of streams.values()) hot.expire(now)
  }, expiryIntervalMs)
  expiry.unref()

  let tidying: Promise<void> | undefined

  /** Keeps snapshots near the streams' ends and memory within its limit, beside the commands. */
  async function tidy(): Promise<void> {
    for (const [stream, hot] of streams) {
      if (hot.unsavedEvents >= eventsBetweenSnapshots) await save(stream, hot)
    }
    let excessBytes = hotBytes() - maxHotBytes
    for (const [stream, hot] of streams) {
      const isEmpty = hot.revision < 0n
      if (!isEmpty && excessBytes <= 0) continue
      if (hot.isIdle) await save(stream, hot)
      if (!hot.isIdle) continue
      excessBytes -= hot.weight
      streams.delete(stream)
    }
  }

  async function save(stream: string, hot: HotStream<Command, Event, Code>): Promise<void> {
    if (hot.unsavedEvents === 0n) return
    try {
      await index.save()
      await hot.saveSnapshot()
    } catch (cause) {
      onTrouble(`the snapshot of ${stream} could not be written`, cause)
    }
  }

  const hotBytes = (): number => {
    let bytes = 0
    for (const hot of streams.values()) bytes += hot.weight
    return bytes
  }

  const tidiness = setInterval(() => {
    tidying ??= tidy().finally(() => (tidying = undefined))
  }, tidyIntervalMs)
  tidiness.unref()

  return {
    handle(id, request) {
      if (isClosing) return refused('the service is stopping')
      if (waiting >= maxWaitingCommands) return refused('too many commands are waiting')
      const stream = `${domain.category}-${id}`
      const one = candidate(stream, request)
      if (waitingBytes + one.bytes > maxWaitingBytes) return refused('too many bytes are waiting')
      waiting += 1
      waitingBytes += one.bytes
      return hotStream(stream).submit(one)
    },

    room() {
      if (!areMany()) return undefined
      hasRoom ??= Promise.withResolvers<void>()
      return hasRoom.promise
    },

    stats: () => ({
      waitingCommands: waiting,
      waitingBytes,
      hotStreams: streams.size,
      hotBytes: hotBytes(),
    }),

    async close() {
      isClosing = true
      const timer = setTimeout(() => stopSettling.abort(), options.stopTimeoutMs)
      if (waiting > 0) await new Promise<void>((resolve) => (whenDrained = resolve))
      for (const hot of streams.values()) await hot.whenIdle()
      clearTimeout(timer)
      clearInterval(expiry)
      clearInterval(tidiness)
      await tidying // what it saves is not saved again, and the store is open until it has ended
      for (const [stream, hot] of streams) await save(stream, hot)
      await index.close()
    },
  }
}

const refused = (reason: string): Promise<never> => Promise.reject(new Overloaded(reason))
