import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HeaderSheet, headerSheets } from './headers.ts'
import type { Answer, Operation } from './operation.ts'
import { type Problem, problemBody } from './problem.ts'

const jsonType = 'application/json'

type Write = (res: ServerResponse, answer: Answer, requestId: string) => Promise<void> | undefined

/** Writes an operation's answers: at once, or as a stream that goes no faster than it is read. */
export function createWriter({ answers, sheet = 'api' }: Operation, stallTimeoutMs: number): Write {
  const headers = new Map<number, FixedHeaders>()
  for (const [status, { type = jsonType }] of Object.entries(answers)) {
    headers.set(Number(status), fixedHeaders(sheet, type))
  }
  return (res, answer, requestId) => {
    const fixed = headers.get(answer.status)
    if (!fixed) throw new Error(`the answer ${answer.status} is not declared`)
    if (answer.stream === undefined) {
      writeWhole(res, answer, requestId, fixed)
      return undefined
    }
    res.writeHead(answer.status, withOwn(fixed, answer, requestId))
    return pour(answer.stream, res, stallTimeoutMs)
  }
}

type Headers = Readonly<Record<string, string>>

/** Headers that answers have in common, also as the flat list that is written fastest. */
interface FixedHeaders {
  readonly named: Headers
  readonly flat: readonly string[]
}

function fixedHeaders(sheet: HeaderSheet, type: string): FixedHeaders {
  const named = { 'Content-Type': type, ...headerSheets[sheet] }
  return { named, flat: Object.entries(named).flat() }
}

const problemHeaders = fixedHeaders('api', 'application/problem+json')

function writeWhole(
  res: ServerResponse,
  answer: Answer,
  requestId: string,
  fixed: FixedHeaders,
): void {
  const text = answer.text ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body))
  if (text === undefined) {
    writeEmpty(res, answer, requestId, fixed)
    return
  }
  const bytes = Buffer.byteLength(text)
  const headers = withOwn(fixed, answer, requestId)
  headers.push('Content-Length', String(bytes))
  res.writeHead(answer.status, headers)
  // ASCII is written as it is; anything else is encoded on the way
  res.end(text, bytes === text.length ? 'latin1' : 'utf8')
}

function writeEmpty(
  res: ServerResponse,
  answer: Answer,
  requestId: string,
  fixed: FixedHeaders,
): void {
  const { 'Content-Type': _, ...named } = fixed.named
  const headers = withOwn({ named, flat: Object.entries(named).flat() }, answer, requestId)
  if (answer.status !== 304 && answer.status !== 204) headers.push('Content-Length', '0')
  res.writeHead(answer.status, headers)
  res.end()
}

/** An answer's own headers take the place of the fixed ones. */
function withOwn({ flat, named }: FixedHeaders, { headers }: Answer, requestId: string): string[] {
  const all = flat.slice()
  all.push('X-Request-Id', requestId)
  if (headers === undefined) return all
  for (const name in headers) {
    const value = headers[name] ?? ''
    if (Object.hasOwn(named, name)) all[all.indexOf(name) + 1] = value
    else all.push(name, value)
  }
  return all
}

/** Writes a problem, if nothing else was written yet. */
export function sendProblem(res: ServerResponse, problem: Problem, requestId: string): void {
  if (res.headersSent || res.destroyed) {
    res.destroy() // a stream that broke off must not look complete
    return
  }
  const answer: Answer = {
    status: problem.definition.status,
    // what was not read of the request would be taken for the next one
    headers: { ...problem.details.headers, ...(res.req.complete ? {} : { Connection: 'close' }) },
    text: problemBody(problem, requestId),
  }
  if (!res.req.complete) lingerOnClose(res.req)
  writeWhole(res, answer, requestId, problemHeaders)
}

/** How long a client that is still sending may go on doing so after it was answered. */
const lingerMs = 1_000

/**
 * Closing a connection on which bytes are unread resets it, and the client may never see the answer
 * that refused them: they are read and dropped for a while first.
 */
function lingerOnClose(req: IncomingMessage): void {
  const { socket } = req
  socket.destroySoon = () => {
    socket.end()
    req.resume()
    const timer = setTimeout(() => socket.destroy(), lingerMs)
    socket.once('close', () => clearTimeout(timer))
  }
}

/** The client stopped reading for longer than is allowed, and was cut. */
export class ReaderStalled extends Error {
  readonly code = 'READER_STALLED'
}

async function pour(
  stream: AsyncIterable<string>,
  res: ServerResponse,
  stallTimeoutMs: number,
): Promise<void> {
  for await (const text of stream) {
    if (res.destroyed) return // its iterator is returned: the source stops
    if (!res.write(text)) await drained(res, stallTimeoutMs)
  }
  res.end()
}

function drained(res: ServerResponse, stallTimeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const release = () => {
      clearTimeout(timer)
      res.off('drain', done).off('close', done)
    }
    const done = () => {
      release()
      resolve()
    }
    const timer = setTimeout(() => {
      release()
      reject(new ReaderStalled(`the client read nothing for ${stallTimeoutMs} ms`))
    }, stallTimeoutMs)
    res.on('drain', done).on('close', done)
  })
}
