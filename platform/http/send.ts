import type { ServerResponse } from 'node:http'
import { type HeaderSheet, headerSheets } from './headers.ts'
import type { Answer } from './operation.ts'
import { type Problem, problemBody } from './problem.ts'

const flatSheets: Record<HeaderSheet, readonly string[]> = {
  api: Object.entries(headerSheets.api).flat(),
  page: Object.entries(headerSheets.page).flat(),
}

export interface SendOptions {
  readonly requestId: string
  readonly sheet: HeaderSheet
  readonly type: string
}

/** Writes an answer: at once, or as a stream that goes no faster than it is read. */
export function send(
  res: ServerResponse,
  answer: Answer,
  options: SendOptions & { readonly stallTimeoutMs: number },
): Promise<void> | undefined {
  const { stream } = answer
  if (stream === undefined) {
    sendWhole(res, answer, options)
    return undefined
  }
  res.writeHead(answer.status, headersOf(answer, options, true))
  return pour(stream, res, options.stallTimeoutMs)
}

function sendWhole(res: ServerResponse, answer: Answer, options: SendOptions): void {
  const text = answer.text ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body))
  const headers = headersOf(answer, options, text !== undefined)
  if (text !== undefined) headers.push('Content-Length', String(Buffer.byteLength(text)))
  else if (answer.status !== 304 && answer.status !== 204) headers.push('Content-Length', '0')
  res.writeHead(answer.status, headers)
  res.end(text)
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
  sendWhole(res, answer, { requestId, sheet: 'api', type: 'application/problem+json' })
}

function headersOf(answer: Answer, options: SendOptions, hasContent: boolean): string[] {
  const headers = ['X-Request-Id', options.requestId]
  if (hasContent) headers.push('Content-Type', options.type)
  const own = answer.headers
  if (own === undefined) return headers.concat(flatSheets[options.sheet])
  for (const name in own) headers.push(name, own[name] ?? '')
  const sheet = flatSheets[options.sheet]
  for (let at = 0; at < sheet.length; at += 2) {
    const name = sheet[at] ?? ''
    if (!Object.hasOwn(own, name)) headers.push(name, sheet[at + 1] ?? '')
  }
  return headers
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
