import Router, { type RouterContext } from '@koa/router'
import Koa from 'koa'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { createDeadlines } from './deadlines.ts'
import { edgeProblems, problem } from './edge-problems.ts'
import { createGuard } from './guard.ts'
import type { HttpLimits } from './limits.ts'
import { mountOperation } from './mount.ts'
import type { Operation } from './operation.ts'
import { mergeProblems, Problem, type ProblemDefinitions } from './problem.ts'
import { Exchange } from './request.ts'
import { createRouteIndex } from './route-index.ts'
import { ReaderStalled, sendProblem } from './send.ts'

export interface HttpAppOptions {
  readonly operations: readonly Operation[]
  /** Definitions of the codes that the operations answer beside those of the edge. */
  readonly problems: ProblemDefinitions
  readonly allowedHosts: readonly string[]
  readonly limits: HttpLimits
  readonly log: Log
  readonly metrics: Metrics
  /** Checks each JSON answer against its schema and fails where it differs: for tests. */
  readonly checkAnswers?: boolean
}

/** A Koa app that serves the operations: guard, route, answer, and every error as a problem. */
export function createHttpApp(options: HttpAppOptions): Koa {
  const { operations, allowedHosts, limits, log, metrics } = options
  const definitions = mergeProblems(edgeProblems, options.problems)
  const guard = createGuard(allowedHosts, limits.maxHeaders)
  const observe = (exchange: Exchange, status: number): void => {
    const { operation, startedAt } = exchange
    exchange.end()
    const seconds = (performance.now() - startedAt) / 1000
    metrics.http.observe({ operation, status: statusClass(status) }, seconds)
  }
  const fail = (ctx: Koa.Context, exchange: Exchange, error: unknown): void => {
    sendProblem(ctx.res, problemOf(error, exchange, log), exchange.id)
    observe(exchange, ctx.res.statusCode)
  }

  const router = new Router({ strict: true, sensitive: true })
  const makeProblem = problemMaker(definitions)
  const deadlines = createDeadlines()
  for (const operation of operations) {
    mountOperation(router, operation, { ...options, definitions, makeProblem, observe, deadlines })
  }

  const find = createRouteIndex(router)
  const route = router.routes()
  const dispatch = (ctx: RouterContext): Promise<unknown> | undefined => {
    const found = find(ctx.req.method ?? '', ctx.req.url ?? '')
    if (!found) return route(ctx, async () => answerUnrouted(ctx))
    ctx.params = found.params
    const answered = found.handle(ctx, noNext)
    return answered instanceof Promise ? answered : undefined
  }
  const app = new Koa()
  app.on('error', (error, ctx?: Koa.Context) => {
    if (ctx && isClientGone(error)) logGone(error, ctx.state as Exchange, log)
    else log.error({ error }, 'the HTTP framework failed')
  })
  // One middleware, and no async function: each of them would be paid by every request.
  app.use((ctx) => {
    const exchange = new Exchange(ctx.req)
    ctx.state = exchange
    ctx.respond = false // answers are written in one go
    try {
      guard(ctx.req)
      return dispatch(ctx as RouterContext)?.catch((error: unknown) => fail(ctx, exchange, error))
    } catch (error) {
      fail(ctx, exchange, error)
      return undefined
    }
  })
  return app
}

/** Operations answer, they pass nothing on. */
const noNext = async (): Promise<void> => {}

const classes = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'] as const
const statusClass = (status: number): string => classes[Math.trunc(status / 100)] ?? 'other'

/** What is wrong, and in which part of the body or in which parameter. */
export type Fault = { readonly message: string } & (
  | { readonly pointer: string }
  | { readonly parameter: string }
)

export type MakeProblem = (code: string, fault: Fault) => Problem

/** Schemas name codes; this makes the problem of such a code. */
function problemMaker(definitions: ProblemDefinitions): MakeProblem {
  return (code, { message, ...place }) => {
    const definition = definitions[code]
    if (!definition) throw new Error(`no problem is called ${code}`)
    const name = 'parameter' in place ? `The parameter ${place.parameter}` : place.pointer
    // A code of the edge says what is wrong with anything; a schema's own says what must be.
    const advice = Object.hasOwn(edgeProblems, code) ? '' : ` ${definition.advice}`
    const detail = `${name || 'The body'} ${message}.${advice}`
    return new Problem(code, definition, { detail, ...place })
  }
}

/** A path without such a method, or no path at all. `OPTIONS` is answered for every path. */
function answerUnrouted(ctx: RouterContext): void {
  const methods = new Set(ctx.matched?.flatMap((layer) => layer.methods))
  if (methods.size === 0) throw problem('not-found', { detail: '/docs lists all paths' })
  const allow = [...methods, 'OPTIONS'].sort().join(', ')
  if (ctx.method !== 'OPTIONS') {
    const detail = `It has ${allow}.`
    throw problem('method-not-allowed', { detail, headers: { Allow: allow } })
  }
  ctx.res.writeHead(204, ['Allow', allow])
  ctx.res.end()
}

/** What a connection fails with when the client is killed, or its network is gone. */
const goneCodes = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])

const isClientGone = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && goneCodes.has(error.code)

function logGone({ code }: NodeJS.ErrnoException, { id, operation }: Exchange, log: Log): void {
  log.info({ requestId: id, operation, reason: code }, 'a client was gone before its answer ended')
}

/** The inside of a failure goes to the log, under the request's id, and nowhere else. */
function problemOf(error: unknown, { id, operation }: Exchange, log: Log): Problem {
  const context = { requestId: id, operation }
  if (error instanceof ReaderStalled) log.warn({ ...context, error }, 'a client was cut')
  else if (!(error instanceof Problem)) log.error({ ...context, error }, 'a request failed')
  else if (error.definition.status >= 500) log.warn({ ...context, error }, 'a request was put off')
  else log.debug({ ...context, code: error.code }, 'a request was refused')
  return error instanceof Problem ? error : problem('internal-error', { cause: error })
}
