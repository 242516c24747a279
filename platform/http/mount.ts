import type Router from '@koa/router'
import type { RouterContext } from '@koa/router'
import { compileUntyped } from '../json-schema.ts'
import { checkAccept } from './accept.ts'
import type { Exchange, HttpAppOptions, MakeProblem } from './app.ts'
import type { Answer, Operation } from './operation.ts'
import { codesOf } from './operation-problems.ts'
import type { ProblemDefinitions } from './problem.ts'
import { createParamsChecker, createQueryReader } from './query.ts'
import { checkContentType, readBody, refuseBody, streamBody } from './read-body.ts'
import { createJsonReader } from './read-json.ts'
import { send } from './send.ts'

interface MountOptions extends HttpAppOptions {
  readonly definitions: ProblemDefinitions
  readonly makeProblem: MakeProblem
}

type ReadBody = (ctx: RouterContext) => unknown

/** Puts one operation on the router as one handler, with all that it checks prepared. */
export function mountOperation(router: Router, operation: Operation, options: MountOptions): void {
  const { definitions, makeProblem, limits } = options
  for (const code of codesOf(operation)) {
    if (!definitions[code]) throw new Error(`${operation.id} names the unknown problem ${code}`)
  }
  const checkParams = createParamsChecker(operation.params ?? {}, makeProblem)
  const readQuery = createQueryReader(operation, makeProblem)
  const read = bodyReader(operation, options)
  const checkAnswer = options.checkAnswers ? answerChecker(operation) : undefined
  const types = new Map(
    Object.entries(operation.answers).map(([status, { type }]) => [Number(status), type]),
  )
  const acceptable = operation.answers[200]?.type ?? jsonType
  const sheet = operation.sheet ?? 'api'

  router.register(operation.path, [operation.method], async (ctx) => {
    const exchange = ctx.state as Exchange
    exchange.operation = operation.id
    const { req, res } = ctx
    checkAccept(req, acceptable)
    checkParams(ctx.params)
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    const query = readQuery(mark < 0 ? '' : url.slice(mark + 1))
    const body = read === undefined ? refuseBody(req) : await read(ctx)
    const { request } = exchange
    const answer = await operation.handle({ params: ctx.params, query, body, request })
    checkAnswer?.(answer)
    const type = types.get(answer.status) ?? jsonType
    await send(res, answer, {
      requestId: request.id,
      sheet,
      type,
      stallTimeoutMs: limits.stallTimeoutMs,
    })
  })
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
  return async ({ req, res }) => {
    checkContentType(req, jsonType)
    return readJson(await readBody(req, res, limits))
  }
}

/** Fails where an answer is not as it is documented: a property too many is a leak. */
function answerChecker(operation: Operation): (answer: Answer) => void {
  const validators = new Map(
    Object.entries(operation.answers).map(([status, { schema }]) => [
      Number(status),
      schema === undefined ? undefined : compileUntyped(schema),
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
