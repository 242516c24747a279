import type Router from '@koa/router'
import type { RouterContext } from '@koa/router'
import { compileUntyped } from '../json-schema.ts'
import { checkAccept } from './accept.ts'
import type { HttpAppOptions, MakeProblem } from './app.ts'
import type { Deadlines } from './deadlines.ts'
import type { Answer, Operation } from './operation.ts'
import { codesOf } from './operation-problems.ts'
import type { ProblemDefinitions } from './problem.ts'
import { createParamsChecker, createQueryReader } from './query.ts'
import { checkContentType, readBody, refuseBody, streamBody } from './read-body.ts'
import { createJsonReader } from './read-json.ts'
import type { Exchange } from './request.ts'
import { createWriter } from './send.ts'

interface MountOptions extends HttpAppOptions {
  readonly definitions: ProblemDefinitions
  readonly makeProblem: MakeProblem
  readonly observe: (exchange: Exchange, status: number) => void
  readonly deadlines: Deadlines
}

type ReadBody = (ctx: RouterContext) => unknown

/** Puts one operation on the router as one handler, with all that it checks prepared. */
export function mountOperation(router: Router, operation: Operation, options: MountOptions): void {
  const { definitions, makeProblem, observe } = options
  for (const code of codesOf(operation)) {
    if (!definitions[code]) throw new Error(`${operation.id} names the unknown problem ${code}`)
  }
  const checkParams = createParamsChecker(operation.params ?? {}, makeProblem)
  const readQuery = createQueryReader(operation, makeProblem)
  const read = bodyReader(operation, options)
  const checkAnswer = options.checkAnswers ? answerChecker(operation) : undefined
  const write = createWriter(operation, options.limits.stallTimeoutMs)
  const [acceptable = jsonType] = (operation.answers[200]?.type ?? jsonType).split(';')

  const finish = (ctx: RouterContext, exchange: Exchange, answer: Answer): Promise<void> | void => {
    checkAnswer?.(answer)
    const written = write(ctx.res, answer, exchange.id)
    if (written === undefined) return observe(exchange, answer.status)
    return written.then(() => observe(exchange, answer.status))
  }

  // What is there at once is answered at once: a promise is made only where one is waited for.
  router.register(operation.path, [operation.method], (ctx) => {
    const exchange: Exchange = ctx.state as Exchange
    exchange.operation = operation.id
    checkAccept(ctx.req, acceptable)
    checkParams(ctx.params)
    const query = readQuery(queryStringOf(ctx.req.url ?? ''))
    const serve = (body: unknown): Promise<void> | void => {
      const answer = operation.handle({ params: ctx.params, query, body, request: exchange })
      if (!(answer instanceof Promise)) return finish(ctx, exchange, answer)
      return answer.then((settled) => finish(ctx, exchange, settled))
    }
    if (read === undefined) return serve(refuseBody(ctx.req))
    const body = read(ctx)
    return body instanceof Promise ? body.then(serve) : serve(body)
  })
}

function queryStringOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

const jsonType = 'application/json'

function bodyReader(operation: Operation, options: MountOptions): ReadBody | undefined {
  const { body } = operation
  if (body === undefined) return undefined
  const { makeProblem } = options
  const limits = {
    ...options.limits,
    maxBodyBytes: operation.maxBodyBytes ?? options.limits.maxBodyBytes,
  }
  if ('lines' in body) {
    return ({ req, res }) => {
      checkContentType(req, body.type)
      return streamBody(req, res, limits.stallTimeoutMs)
    }
  }
  const readJson = createJsonReader(body, makeProblem, limits.maxJsonDepth)
  return ({ req, res }) => {
    checkContentType(req, jsonType)
    return readBody(req, res, limits, options.deadlines).then(readJson)
  }
}

/** Fails where an answer is not as it is documented: a property too many is a leak. */
function answerChecker(operation: Operation): (answer: Answer) => void {
  const validators = new Map(
    Object.entries(operation.answers).map(([status, { schema, type = jsonType }]) => [
      Number(status),
      schema === undefined || type !== jsonType ? undefined : compileUntyped(schema),
    ]),
  )
  return (answer) => {
    const name = `the answer ${answer.status} of ${operation.id}`
    if (!validators.has(answer.status)) throw new Error(`${name} is not declared`)
    const isValid = validators.get(answer.status)
    if (!isValid || answer.stream) return
    const body: unknown = answer.text === undefined ? answer.body : JSON.parse(String(answer.text))
    if (isValid(body)) return
    const { pointer, message } = isValid.violation()
    throw new Error(`${name}: ${pointer} ${message}`)
  }
}
