import { createConnection, type Socket } from 'node:net'
import { createHttpApp } from '../../platform/http/app.ts'
import { loopbackHosts } from '../../platform/http/guard.ts'
import { defaultHttpLimits, type HttpLimits } from '../../platform/http/limits.ts'
import type { Operation } from '../../platform/http/operation.ts'
import type { ProblemDefinitions } from '../../platform/http/problem.ts'
import { type HttpServer, listen } from '../../platform/http/server.ts'
import { createLog } from '../../platform/log.ts'
import { createMetrics, type Metrics } from '../../platform/metrics.ts'

export interface Edge extends HttpServer {
  readonly metrics: Metrics
  /** What was logged, a record each. */
  readonly logged: readonly Record<string, unknown>[]
}

export interface StartEdge {
  readonly operations: readonly Operation[]
  readonly problems?: ProblemDefinitions
  readonly limits?: Partial<HttpLimits>
}

/** A real server on a free port, which checks that its answers are as declared. */
export async function startEdge(options: StartEdge): Promise<Edge> {
  const limits = { ...defaultHttpLimits, ...options.limits }
  const logged: Record<string, unknown>[] = []
  const log = createLog('debug', { write: (line) => logged.push(JSON.parse(line)) })
  const metrics = createMetrics()
  const { operations, problems = {} } = options
  const app = createHttpApp({
    ...{ operations, problems, limits, log, metrics },
    allowedHosts: loopbackHosts,
    checkAnswers: true,
  })
  const server = await listen({ app, host: '127.0.0.1', port: 0, limits, log })
  return { ...server, metrics, logged }
}

/** A connection on which a test writes what it likes. */
export interface RawConnection {
  readonly socket: Socket
  write(text: string | Buffer): void
  /** All that came until the server closed. */
  readonly received: Promise<string>
  /** What came so far. */
  soFar(): string
}

export function connectTo({ port }: Pick<HttpServer, 'port'>): RawConnection {
  const socket = createConnection(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    text += chunk
  })
  const received = new Promise<string>((resolve) => {
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
  return { socket, received, soFar: () => text, write: (part) => socket.write(part) }
}

/** The JSON body of a raw answer. */
export function bodyOf(answer: string): Record<string, unknown> {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
}

/** The JSON object that an answer holds. */
export async function jsonOf(answer: Response | Promise<Response>) {
  return (await (await answer).json()) as Record<string, unknown>
}
