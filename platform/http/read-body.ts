import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deadlines } from './deadlines.ts'
import { problem } from './edge-problems.ts'

export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
}

/** @throws {Problem} where the body is of another type, or encoded */
export function checkContentType(req: IncomingMessage, expected: string): void {
  const { headers } = req
  if (headers['content-encoding'] !== undefined) throw problem('compressed-body')
  const type = headers['content-type']
  if (type === expected) return
  const [mediaType = '', ...parameters] = (type ?? '').toLowerCase().split(';')
  const isUtf8Only = parameters.every((text) => /^\s*charset\s*=\s*"?utf-8"?\s*$/.test(text))
  if (mediaType.trim() === expected && isUtf8Only) return
  throw problem('unsupported-media-type', { detail: `Expected ${expected}.` })
}

/** @throws {Problem} where an operation without a body gets one */
export function refuseBody(req: IncomingMessage): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = req.headers
  if (encoding !== undefined || (length !== undefined && length !== '0')) {
    throw problem('unexpected-body')
  }
}

/**
 * The text of the whole body. It is not read past the limit, and not at all where its announced
 * length is beyond it. @throws {Problem}
 */
export function readBody(
  req: IncomingMessage,
  res: ServerResponse,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
  deadlines: Deadlines,
): Promise<string> {
  const tooLarge = () => problem('body-too-large', { members: { limit: maxBodyBytes } })
  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge())
  if (req.headers.expect !== undefined) res.writeContinue()

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    let isSettled = false // listeners stay: taking them off costs more than asking
    const cancel = deadlines.start(bodyTimeoutMs, () => fail(problem('request-timeout')))
    const fail = (error: unknown) => {
      if (isSettled) return
      isSettled = true
      cancel()
      req.pause()
      reject(error)
    }
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBodyBytes) chunks.push(chunk)
      else fail(tooLarge())
    })
    req.on('end', () => {
      if (isSettled) return
      isSettled = true
      cancel()
      const [first] = chunks
      const whole = chunks.length === 1 && first ? first : Buffer.concat(chunks)
      if (isUtf8(whole)) resolve(whole.toString('utf8'))
      else reject(problem('invalid-utf8'))
    })
    req.on('close', () => isSettled || fail(problem('body-cut-short')))
    req.on('error', fail)
  })
}

/**
 * The bytes of a body as they arrive, under backpressure. A sender that is silent for longer than
 * the limit ends it with an error, as does a body that is cut short. @throws {Problem}
 */
export function streamBody(
  req: IncomingMessage,
  res: ServerResponse,
  stallTimeoutMs: number,
): AsyncGenerator<Buffer> {
  if (req.headers.expect !== undefined) res.writeContinue() // now: an answer's head may come first
  return readChunks(req, stallTimeoutMs)
}

async function* readChunks(req: IncomingMessage, stallTimeoutMs: number): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = req[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await withTimeout(chunks.next(), stallTimeoutMs)
      if (next.done) return
      yield next.value
    }
  } catch (cause) {
    if (req.complete || cause instanceof Error === false || !('code' in cause)) throw cause
    throw cause.code === 'ECONNRESET' ? problem('body-cut-short', { cause }) : cause
  } finally {
    if (!req.complete) req.destroy()
  }
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(problem('request-timeout')), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
