import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What a handler may know of the request beside its parameters and its body. */
export interface Request {
  /** The caller's `X-Request-Id` where it is well formed, else a new one. It is in the answer. */
  readonly id: string
  /** W3C trace context to continue: the caller's, or a new one where there is none. */
  readonly traceparent: string
  /** A header by its lower-case name. */
  header(name: string): string | undefined
  /** Aborts when the connection is gone before the answer is complete. */
  readonly signal: AbortSignal
}

/** Random for each process, counted within it: a UUID for each request costs more than routing it. */
const processId = randomBytes(9).toString('base64url').replaceAll(/^[-_]/g, 'x')
let requests = 0
export const newRequestId = (): string => {
  requests += 1
  return `${processId}.${requests.toString(36)}`
}

const requestIdForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/**
 * A request while it is served: kept in Koa's `ctx.state`. A class, because one is made for each
 * request and most of it is worked out only when it is asked for.
 */
export class Exchange implements Request {
  readonly id: string
  readonly startedAt = performance.now()
  /** Id of the operation, once the route is known. */
  operation = 'none'
  readonly #req: IncomingMessage
  #traceparent: string | undefined
  #gone: AbortController | undefined
  #abort: (() => void) | undefined

  constructor(req: IncomingMessage) {
    this.#req = req
    const given = req.headers['x-request-id']
    this.id = typeof given === 'string' && requestIdForm.test(given) ? given : newRequestId()
  }

  get traceparent(): string {
    this.#traceparent ??= readTraceparent(this.header('traceparent')) ?? newTraceparent()
    return this.#traceparent
  }

  header(name: string): string | undefined {
    const value = this.#req.headers[name]
    return typeof value === 'string' ? value : value?.join(', ')
  }

  get signal(): AbortSignal {
    if (!this.#gone) {
      const gone = new AbortController()
      this.#gone = gone
      this.#abort = () => gone.abort()
      if (this.#req.socket.destroyed) gone.abort()
      else this.#req.socket.once('close', this.#abort)
    }
    return this.#gone.signal
  }

  /** Lets go of the connection, which serves other requests after this one. */
  end(): void {
    if (this.#abort) this.#req.socket.off('close', this.#abort)
  }
}

/** Version 00 of W3C trace context, strictly; anything else is no trace context. */
export function readTraceparent(header: string | undefined): string | undefined {
  const match = header && /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(header)
  if (!match || /^0+$/.test(match[1] ?? '') || /^0+$/.test(match[2] ?? '')) return undefined
  return header
}

/**
 * From UUIDs, whose randomness Node draws in advance. Ids of all zeros are invalid: the first holds a
 * UUID's version, the second a UUID's variant, which are never zero.
 */
const newTraceparent = (): string =>
  `00-${randomUUID().replaceAll('-', '')}-${randomUUID().slice(19).replaceAll('-', '')}-00`
