import { compile, type Validator } from '../../platform/json-schema.ts'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'

/** A server that has not answered by then is given up. */
const timeoutMs = 60_000

const isProblem = compile({
  type: 'object',
  properties: { code: { type: 'string' }, title: { type: 'string' }, detail: { type: 'string' } },
  required: ['code', 'title'],
} as const)

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
}

/**
 * Asks a running server and checks what it answers.
 * @throws {CommandFailed} it is not there, refuses, or answers what it should not
 */
export async function askServer<T>(
  url: string,
  path: string,
  isExpected: Validator<T>,
  { method = 'GET', body: sent }: Question = {},
): Promise<T> {
  const target = targetOf(url, path)
  const content =
    sent === undefined
      ? {}
      : { body: JSON.stringify(sent), headers: { 'content-type': 'application/json' } }
  let response: Response
  let text: string
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    response = await fetch(target, { method, ...content, signal, redirect: 'error' })
    text = await response.text()
  } catch (cause) {
    throw new CommandFailed(
      exitCodes.unavailable,
      `No Evident answers at ${url} (${reasonOf(cause)}): check --url, and that it is running.`,
      { cause },
    )
  }
  const body = jsonIn(text)
  if (response.ok && isExpected(body)) return body
  const said = isProblem(body)
    ? `${body.code}: ${body.detail ?? body.title}`
    : 'as no Evident does: check --url'
  throw new CommandFailed(exitCodes.unavailable, `${url} answered ${response.status}, ${said}`)
}

/** A route of a server. @throws {CommandFailed} where `--url` is none */
export function targetOf(url: string, path: string): URL {
  const target = URL.canParse(path, url) ? new URL(path, url) : undefined
  if (target && /^https?:$/.test(target.protocol)) return target
  throw new CommandFailed(exitCodes.usage, `--url ${url}: expected one like http://127.0.0.1:8080`)
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // some other server's page
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  if (cause.message === 'bad port') return 'a port that HTTP clients refuse to use'
  return 'code' in cause ? String(cause.code) : cause.message
}
