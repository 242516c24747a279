import { PassThrough } from 'node:stream'
import { runCli } from '../../app/cli/run-cli.ts'
import type { Terminal } from '../../app/cli/terminal.ts'
import type { Environment } from '../../app/config.ts'
import { eventually } from '../eventually.ts'

/** A run of the program in this process, as nobody watches it. */
export interface Run {
  readonly out: () => string
  readonly err: () => string
  /** As the first SIGTERM. */
  stop(): void
  readonly exitCode: Promise<number>
}

/** Somebody who sits at the terminal: what is asked, and the answer. */
export type Answering = (question: string) => boolean

export function startCli(
  args: readonly string[],
  environment: Environment = {},
  answer?: Answering,
): Run {
  const stopping = new AbortController()
  const err = new PassThrough()
  let out = ''
  let errors = ''
  err.on('data', (bytes) => {
    errors += String(bytes)
  })
  const terminal: Terminal = {
    environment,
    out(text) {
      out += text
    },
    err,
    isWatched: false,
    paint: (_style, text) => text,
    stopSignal: () => stopping.signal,
    ...(answer && { confirm: async (question) => answer(question) }),
  }
  return {
    out: () => out,
    err: () => errors,
    stop: () => stopping.abort(),
    exitCode: runCli(args, terminal),
  }
}

export interface Ended {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** A run that ends by itself. */
export const evident = (...args: readonly string[]): Promise<Ended> => ended(startCli(args))

export async function ended(run: Run): Promise<Ended> {
  const exitCode = await run.exitCode
  return { exitCode, out: run.out(), err: run.err() }
}

/** Serves a folder until `stop`; `exitCode` is of the process that it would be. */
export async function serveFolder(folder: string) {
  const run = startCli(['serve', '--data', folder, '--port', '0', '--json', '--log-level', 'error'])
  await eventually(() => run.out().includes('\n'), 'it serves')
  const { url } = JSON.parse(run.out()) as { readonly url: string }
  return {
    url,
    async stop() {
      run.stop()
      return run.exitCode
    },
  }
}

/** Moves money so that there is something to look at. */
export async function feed(url: string, transactions: number): Promise<void> {
  const lines = [
    { type: 'CreateLedger', key: 'ledger', accountOpening: 'explicit' },
    { type: 'OpenAccount', key: 'a', account: 'bank', overdrafts: { 'CZK/2': 'unlimited' } },
    { type: 'OpenAccount', key: 'b', account: 'ann' },
    { type: 'OpenAccount', key: 'c', account: 'bob' },
    ...Array.from({ length: transactions }, (_, index) => ({
      type: 'PostTransaction',
      id: `t-${index}`,
      postings: [
        { from: 'bank', to: 'ann', asset: 'CZK/2', amount: '100' },
        { from: 'ann', to: 'bob', asset: 'CZK/2', amount: '40' },
      ],
    })),
  ]
  const response = await fetch(new URL('/ledgers/main/commands', url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  })
  const end: unknown = JSON.parse((await response.text()).trim().split('\n').at(-1) ?? '')
  if (
    JSON.stringify(end) !==
    JSON.stringify({ end: true, accepted: lines.length, refused: 0, failed: 0 })
  ) {
    throw new Error(`the lines were not all accepted: ${JSON.stringify(end)}`)
  }
}
