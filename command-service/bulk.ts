import { setImmediate as nextTurn } from 'node:timers/promises'
import { type BoundedQueue, createBoundedQueue } from '../platform/bounded-queue.ts'
import { Problem } from '../platform/http/problem.ts'
import type { FromSchema, Schema } from '../platform/json-schema.ts'
import type { CommandRequest } from './command.ts'
import { failureProblem } from './problems.ts'
import { LineRefused, readCommandLine } from './read-command-line.ts'
import type { LedgerRoutes } from './routes/ledger-routes.ts'
import { type Line, splitLines } from './split-lines.ts'

/** Of one line. */
export const maxLineBytes = 1_048_576

/** Lines whose results wait to be sent, and their bytes: together what a bulk can take. */
export const maxLinesUnderWay = 4_096
export const maxBytesUnderWay = 16_777_216

/** Results leave in pieces of about this size, or as soon as no further one is ready. */
const pieceCharacters = 16_384

export const lineResultSchema = {
  type: 'object',
  properties: {
    line: { type: 'integer', description: 'Its number, from 1.' },
    status: {
      type: 'string',
      enum: ['accepted', 'refused', 'failed'],
      description: 'A line that failed was not decided, or its outcome is unknown: send it again.',
    },
    revision: { type: 'string', description: 'Of its last event.' },
    replayed: {
      type: 'boolean',
      description: 'Whether it was done before; done again it was not.',
    },
    code: { type: 'string', description: 'Why it was refused, or failed.' },
    detail: { type: 'string' },
    pointer: { type: 'string' },
  },
  required: ['line', 'status'],
  additionalProperties: false,
} as const satisfies Schema

export const endLineSchema = {
  type: 'object',
  properties: {
    end: { const: true },
    accepted: { type: 'integer' },
    refused: { type: 'integer' },
    failed: { type: 'integer' },
  },
  required: ['end', 'accepted', 'refused', 'failed'],
  additionalProperties: false,
} as const satisfies Schema

type LineResult = FromSchema<typeof lineResultSchema>

export interface Bulk {
  readonly ledger: string
  readonly routes: LedgerRoutes
  readonly caller: string
  /** The request's idempotency key: names lines that have neither id nor key. */
  readonly keyPrefix: string | undefined
  readonly trace: NonNullable<CommandRequest<never>['trace']>
  /** Leaves out the results of accepted lines. */
  readonly onlyErrors: boolean
}

/** A line on its way. It has its result, or a failure that ends the answer, when `settled` resolves. */
interface Entry {
  readonly bytes: number
  result?: LineResult
  failure?: unknown
  readonly settled?: Promise<void>
}

/** Lines on their way, in order. */
interface UnderWay {
  readonly queue: BoundedQueue<Entry>
  bytes: number
}

/**
 * Decides each line as it comes and yields results in order, as text, also while no further line
 * comes. While as many wait as may it takes no more, so nothing grows when nobody reads.
 */
export async function* runBulk(body: AsyncIterable<Buffer>, bulk: Bulk): AsyncGenerator<string> {
  const counts = { accepted: 0, refused: 0, failed: 0 }
  const queue = createBoundedQueue<Entry>(maxLinesUnderWay)
  const underWay: UnderWay = { queue, bytes: 0 }
  const reading = readLines(body, underWay, bulk)
  reading.catch(() => undefined) // it is awaited below, after the results of what was read
  let piece = ''
  try {
    for (;;) {
      const entry = queue.first()
      if (!entry?.result) {
        if (!entry && queue.isEnded) break
        if (piece !== '') {
          yield piece
          piece = ''
          continue // the queue may have changed, or ended, while it was sent
        }
        await (entry ? entry.settled : queue.changed())
        if (entry?.failure) throw entry.failure
        if (entry) await nextTurn() // what became durable with it is ready by then too
        continue
      }
      underWay.bytes -= entry.bytes
      queue.shift()
      counts[entry.result.status] += 1
      if (bulk.onlyErrors && entry.result.status === 'accepted') continue
      piece += `${JSON.stringify(entry.result)}\n`
      if (piece.length < pieceCharacters) continue
      yield piece
      piece = ''
    }
    await reading // a body that was cut ends the answer without its end line
    yield `${piece}${JSON.stringify({ end: true, ...counts })}\n`
  } finally {
    queue.end()
  }
}

/** Takes lines while there is room, until the body ends or nobody wants results any more. */
async function readLines(
  body: AsyncIterable<Buffer>,
  underWay: UnderWay,
  bulk: Bulk,
): Promise<void> {
  const { queue } = underWay
  const isFull = (bytes: number): boolean =>
    queue.isFull || underWay.bytes + bytes > maxBytesUnderWay
  let number = 0
  try {
    for await (const lines of splitLines(body, maxLineBytes)) {
      for (const line of lines) {
        number += 1
        if (line === '') continue
        const bytes = Buffer.byteLength(line)
        while (isFull(bytes) && !queue.isEnded) await queue.changed()
        for (let room = bulk.routes.room(); room; room = bulk.routes.room()) await room
        if (queue.isEnded) return
        underWay.bytes += bytes
        queue.push(decideLine({ line, number, bytes }, bulk))
      }
    }
  } finally {
    queue.end()
  }
}

interface NumberedLine {
  readonly line: Line
  readonly number: number
  readonly bytes: number
}

function decideLine({ line, number, bytes }: NumberedLine, bulk: Bulk): Entry {
  const { routes, ledger, caller, trace, keyPrefix } = bulk
  const { newId: newTransactionId } = routes
  try {
    const read = readCommandLine(line, number, { keyPrefix, newTransactionId })
    const entry: Entry = {
      bytes,
      settled: routes
        .handle(ledger, {
          command: read.command,
          content: read.content,
          caller,
          deadline: routes.deadline(),
          ...(read.key !== undefined && { idempotencyKey: read.key }),
          trace,
        })
        .then(
          (outcome) => void Object.assign(entry, { result: resultOf(number, outcome) }),
          (error: unknown) => void Object.assign(entry, failed(number, error)),
        ),
    }
    return entry
  } catch (error) {
    if (!(error instanceof LineRefused)) throw error
    const { code, message: detail, pointer } = error
    const where = pointer === undefined ? {} : { pointer }
    return { bytes, result: { line: number, status: 'refused', code, detail, ...where } }
  }
}

function resultOf(line: number, outcome: Awaited<ReturnType<LedgerRoutes['handle']>>): LineResult {
  if (outcome.status === 'refused') return { line, status: 'refused', ...outcome.rejection }
  const { revision, replayed } = outcome
  const made = revision === undefined ? {} : { revision: revision.toString() }
  return { line, status: 'accepted', ...made, replayed }
}

/** A failure that the API documents is the line's result; any other ends the answer. */
function failed(line: number, error: unknown): Partial<Entry> {
  const problem = failureProblem(error)
  if (!(problem instanceof Problem)) return { failure: error }
  return { result: { line, status: 'failed', code: problem.code, detail: problem.message } }
}
