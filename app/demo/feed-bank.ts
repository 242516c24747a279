import type { CommandSink, LedgerCommandLine } from '../import/command-sink.ts'
import { createHttpCommandSink } from '../import/http-command-sink.ts'
import { type DemoBank, demoLedger } from './demo-bank.ts'
import { createLedgerClient } from './ledger-client.ts'

/** What one way in came to. */
export interface FedPart {
  /** Done in this run. */
  posted: number
  /** Done in an earlier run: only answered again. */
  alreadyThere: number
  seconds: number
}

export interface Fed {
  readonly bulk: FedPart
  readonly singles: FedPart
  /** Lines that came twice in this run and were done once. */
  readonly repeated: number
  readonly refused: number
  /** What should not have happened, a code each. */
  readonly unexpected: readonly string[]
}

export type FeedProgress = (done: number, of: number) => void

/** Requests of one transaction that are under way at once. */
export const singlesAtOnce = 32

/** Feeds the bank through the HTTP API: most of it in bulk, the rest one by one. */
export async function feedBank(
  url: string,
  { setUp, lines, singles }: DemoBank,
  onProgress: FeedProgress,
): Promise<Fed> {
  const sink = createHttpCommandSink({ url })
  const total = setUp.length + lines.length + singles.length
  const unexpected: string[] = []
  let done = 0
  let repeated = 0
  let refused = 0
  const step = (): void => onProgress(++done, total)

  for await (const result of submit(sink, setUp)) {
    if (!result.accepted) unexpected.push(result.code)
    step()
  }

  const bulk: FedPart = { posted: 0, alreadyThere: 0, seconds: 0 }
  const bulkSince = performance.now()
  let index = 0
  for await (const result of submit(
    sink,
    lines.map(({ command }) => command),
  )) {
    const expected = lines[index++]?.expected
    if (!result.accepted && expected === 'overdraft') refused += 1
    else if (!result.accepted) unexpected.push(result.code)
    else if (expected === 'repeated') repeated += 1
    else if (result.replayed) bulk.alreadyThere += 1
    else bulk.posted += 1
    step()
  }
  bulk.seconds = (performance.now() - bulkSince) / 1000

  const one: FedPart = { posted: 0, alreadyThere: 0, seconds: 0 }
  const oneSince = performance.now()
  const client = createLedgerClient(url, demoLedger)
  const waiting = singles.values()
  const sendOnes = async (): Promise<void> => {
    for (const { type: _, ...transaction } of waiting) {
      const { httpStatus, replayed, body } = await client.post(transaction)
      if (httpStatus !== 201) unexpected.push(body.code ?? String(httpStatus))
      else if (replayed) one.alreadyThere += 1
      else one.posted += 1
      step()
    }
  }
  await Promise.all(Array.from({ length: singlesAtOnce }, sendOnes))
  one.seconds = (performance.now() - oneSince) / 1000

  return { bulk, singles: one, repeated, refused, unexpected }
}

const submit = (sink: CommandSink, commands: readonly LedgerCommandLine[]) =>
  sink.submit(demoLedger, ReadableStream.from(commands))
