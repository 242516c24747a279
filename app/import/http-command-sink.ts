import { compile, type FromSchema, type Schema } from '../../platform/json-schema.ts'
import {
  type CommandResult,
  type CommandSink,
  type LedgerCommandLine,
  SubmissionCut,
} from './command-sink.ts'

/** Lines are sent together in pieces of at least this size. */
export const bulkPieceCharacters = 64_000

/** A server that answers nothing for so long is given up; what it did not answer can be repeated. */
export const answerTimeoutMs = 60_000

/** A longer line is no answer. */
export const maxAnswerCharacters = 100_000

const answerSchema = {
  type: 'object',
  description: 'A result line, or the end line.',
  properties: {
    status: { type: 'string', enum: ['accepted', 'refused', 'failed'] },
    revision: { type: 'string' },
    replayed: { type: 'boolean' },
    code: { type: 'string' },
    detail: { type: 'string' },
    end: { type: 'boolean' },
  },
} as const satisfies Schema

const isAnswer = compile(answerSchema)
type Answer = FromSchema<typeof answerSchema>

export interface HttpSinkOptions {
  /** Where the command service is, such as `http://127.0.0.1:8400`. */
  readonly url: string
  readonly answerTimeoutMs?: number
}

/** Sends commands through the bulk route, streaming both ways. */
export function createHttpCommandSink(options: HttpSinkOptions): CommandSink {
  return {
    async *submit(ledger, commands) {
      const silence = createSilenceLimit(options.answerTimeoutMs ?? answerTimeoutMs)
      try {
        const url = new URL(`/ledgers/${encodeURIComponent(ledger)}/commands`, options.url)
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
          body: ReadableStream.from(encodeLines(commands, silence.signal)),
          duplex: 'half',
          redirect: 'error',
          signal: silence.signal,
        })
        if (!response.ok) throw new SubmissionCut(await refusalOf(response))
        yield* readAnswers(response, silence.heard)
      } catch (error) {
        throw error instanceof SubmissionCut
          ? error
          : new SubmissionCut(reasonOf(error), { cause: error })
      } finally {
        silence.end()
      }
    },
  }
}

async function* encodeLines(
  commands: AsyncIterable<LedgerCommandLine>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder()
  let piece = ''
  for await (const command of commands) {
    if (signal.aborted) return // an aborted fetch goes on taking its body to the end
    piece += `${JSON.stringify(command)}\n`
    if (piece.length < bulkPieceCharacters) continue
    yield encoder.encode(piece)
    piece = ''
  }
  if (piece !== '') yield encoder.encode(piece)
}

/** One result a line; an answer without its end line was cut. */
async function* readAnswers(response: Response, heard: () => void): AsyncIterable<CommandResult> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of response.body ?? []) {
    heard()
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxAnswerCharacters) throw new SubmissionCut('the server answered no lines')
    for (const line of lines) {
      const answer = parseAnswer(line)
      if (answer.end) return
      yield resultOf(answer, line)
    }
  }
  throw new SubmissionCut('the server’s answer was cut')
}

function parseAnswer(line: string): Answer {
  try {
    const answer: unknown = JSON.parse(line)
    if (isAnswer(answer)) return answer
  } catch {
    // told below, with the line
  }
  throw new SubmissionCut(`the server answered what is no result: ${line.slice(0, 200)}`)
}

/** @throws {SubmissionCut} for a line that failed: it was not decided, or its outcome is unknown */
function resultOf(answer: Answer, line: string): CommandResult {
  const { status, revision, replayed = false, code = '', detail } = answer
  switch (status) {
    case 'accepted':
      return { accepted: true, replayed, ...(revision !== undefined && { revision }) }
    case 'refused':
      return { accepted: false, code, ...(detail !== undefined && { detail }) }
    case 'failed':
      throw new SubmissionCut(`the ledger could not decide (${code}): ${detail ?? ''}`)
    default: // a line of another kind
      throw new SubmissionCut(`the server answered what is no result: ${line.slice(0, 200)}`)
  }
}

/** Problem details are one line of text here. */
async function refusalOf(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 500)
  return `the server refused the import: ${response.status} ${text}`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return `${error.message}: ${cause.message || ('code' in cause ? String(cause.code) : cause.name)}`
}

/** Aborts when nothing is heard for too long. */
function createSilenceLimit(limitMs: number) {
  const controller = new AbortController()
  const giveUp = () => {
    controller.abort(new SubmissionCut(`the server has not answered for ${limitMs / 1000} s`))
  }
  const timer = setTimeout(giveUp, limitMs)
  return {
    signal: controller.signal,
    heard: () => void timer.refresh(),
    end: () => {
      clearTimeout(timer)
      controller.abort()
    },
  }
}
