import type { Server } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type EdgeProblem, problem } from './edge-problems.ts'
import { headerSheets } from './headers.ts'
import { type Problem, problemBody } from './problem.ts'
import { newRequestId } from './request.ts'
import type { CurrentExchange } from './server.ts'

/** Retried this many seconds later, a connection may find a place. */
const retryAfterSeconds = 1

/** Answers a connection too many, and closes it without reading a byte. */
export function rejectConnection(socket: Socket): void {
  const headers = { 'Retry-After': String(retryAfterSeconds) }
  answerRaw(socket, problem('too-many-connections', { headers }))
}

/** What node's parser refuses is answered as a problem too, where an answer can still be sent. */
export function watchParserErrors(
  server: Server,
  current: (socket: Socket) => CurrentExchange | undefined,
): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const refusal = problem(codeOf(error.code), { cause: error })
    const exchange = current(socket)
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else if (!exchange) answerRaw(socket, refusal)
    else if (!exchange.req.complete && exchange.req.listenerCount('error') > 0) {
      exchange.req.emit('error', refusal) // its body is being read: the reader answers
    } else {
      exchange.res.once('close', () => socket.destroy()) // a later request: the answer goes first
    }
  })
}

function codeOf(parserCode: string | undefined): EdgeProblem {
  switch (parserCode) {
    case 'HPE_HEADER_OVERFLOW':
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'headers-too-large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request-timeout'
    case 'HPE_INVALID_EOF_STATE':
      return 'body-cut-short'
    default:
      return 'invalid-request'
  }
}

function answerRaw(socket: Socket, refusal: Problem): void {
  const requestId = newRequestId()
  const body = problemBody(refusal, requestId)
  const { status } = refusal.definition
  const headers = {
    Date: new Date().toUTCString(),
    Connection: 'close',
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    ...headerSheets.api,
    ...refusal.details.headers,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines].join('\r\n')
  socket.on('error', () => socket.destroy())
  socket.end(`${head}\r\n\r\n${body}`)
}
