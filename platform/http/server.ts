import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type Koa from 'koa'
import type { Log } from '../log.ts'
import type { HttpLimits } from './limits.ts'
import { rejectConnection, watchParserErrors } from './raw-answers.ts'

export interface HttpServer {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:8080` */
  readonly url: string
  /**
   * Takes no new connection, answers what is under way with `Connection: close`, closes idle
   * connections at once and what is left at the deadline.
   */
  close(): Promise<void>
}

export interface ListenOptions {
  readonly app: Koa
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly limits: HttpLimits
  readonly log: Log
}

/** Serves the app. @throws the listen error, with its `code` (`EADDRINUSE`, `EACCES`) */
export async function listen({ app, host, port, limits, log }: ListenOptions): Promise<HttpServer> {
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: 0, // bodies have time-outs of their own: a stream may take hours
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    noDelay: true,
  })
  server.maxHeadersCount = 0 // counted by the guard, which refuses instead of dropping some
  const connections = trackConnections(server, limits.maxConnections)
  watchParserErrors(server, connections.current)
  const handle = app.callback()
  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    connections.began(req, res)
    handle(req, res)
  }
  server.on('request', onRequest)
  server.on('checkContinue', onRequest) // the body's reader says when to go on

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => log.error({ error }, 'the HTTP server failed'))
  const address = server.address() as AddressInfo
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    host: address.address,
    port: address.port,
    url: `http://${shownHost}:${address.port}`,
    close: () => closeGracefully(server, connections, limits.closeDeadlineMs, log),
  }
}

export interface CurrentExchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

type Connections = ReturnType<typeof trackConnections>

/** Which connections there are and what is under way on each, so that none is cut in an answer. */
function trackConnections(server: Server, maxConnections: number) {
  // Answers go out in the order of their requests: when the last is finished, all are.
  const open = new Map<Socket, CurrentExchange | undefined>()
  let isClosing = false
  const current = (socket: Socket): CurrentExchange | undefined => {
    const last = open.get(socket)
    return last?.res.writableFinished ? undefined : last
  }
  server.on('connection', (socket: Socket) => {
    if (open.size >= maxConnections) return rejectConnection(socket)
    open.set(socket, undefined)
    socket.once('close', () => open.delete(socket))
    return undefined
  })
  return {
    current,
    began(req: IncomingMessage, res: ServerResponse): void {
      if (isClosing) res.shouldKeepAlive = false
      if (open.has(req.socket)) open.set(req.socket, { req, res })
    },
    closeWhenIdle(): void {
      isClosing = true
      for (const socket of open.keys()) {
        const exchange = current(socket)
        if (!exchange) socket.destroy()
        else if (!exchange.res.headersSent) exchange.res.shouldKeepAlive = false
        else exchange.res.once('close', () => socket.destroySoon())
      }
    },
  }
}

async function closeGracefully(
  server: Server,
  connections: Connections,
  deadlineMs: number,
  log: Log,
): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  connections.closeWhenIdle()
  const timer = setTimeout(() => {
    log.warn({ deadlineMs }, 'requests were still under way at the deadline and were cut')
    server.closeAllConnections()
  }, deadlineMs)
  await closed
  clearTimeout(timer)
}
