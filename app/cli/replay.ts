import { type Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '../config.ts'
import { openFolder } from '../open-folder.ts'
import { exitCodes } from './exit-codes.ts'
import { createLedgerFold } from './fold-ledgers.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import {
  type ReplayedEvent,
  type ReplayRange,
  replayFolder,
  replayServer,
} from './replayed-events.ts'
import type { Cli } from './run-cli.ts'
import { addSettingsOrUrl, flagsIn } from './setting-options.ts'
import type { Terminal } from './terminal.ts'

type Options = Readonly<Record<string, unknown>> &
  ReplayRange & {
    readonly url?: string
    readonly fold?: boolean
    readonly limit?: number
  }

export function addReplay(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('replay')
    .summary('print or fold the events of the log')
    .description('Reads the log in order and prints its events, or what they fold to, as NDJSON.')
  addSettingsOrUrl(command, ['DATA_FOLDER', 'EVENT_STORE'])
    .option('--after <position>', 'only events past this position of the log', readPosition)
    .option('--stream <name>', 'only this stream, such as ledger-main')
    .option('--type <type>', 'only events of this type, such as TransactionPosted')
    .option('--limit <count>', 'at most so many events', readCount)
    .option('--fold', 'print the balances of each account that these events come to')
    .addHelpText('after', examples)
    .action(async (options: Options) => end(await replay(options, terminal)))
}

const examples = `
Examples:
  evident replay --stream ledger-main | jq .data
  evident replay --type TransactionPosted --after 1000 --limit 10
  evident replay --fold --url http://127.0.0.1:8080`

/** Positions are digits that sort as text; their leading zeros may be left out. */
function readPosition(text: string): string {
  if (/^\d{1,16}$/.test(text)) return text.padStart(16, '0')
  throw new InvalidArgumentError('expected a position, such as 0000000000001000.')
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a whole number from 1.')
}

async function replay(options: Options, terminal: Terminal): Promise<number> {
  const stop = terminal.stopSignal()
  if (options.url !== undefined) {
    return print(replayServer(options.url, options), options, terminal, stop)
  }
  const config = loadConfig(terminal.environment, { flags: flagsIn(options) })
  const { store, close } = await explainFolderInUse(config.dataFolder, () => openFolder(config))
  try {
    return await print(replayFolder(store, options), options, terminal, stop)
  } finally {
    await close()
  }
}

async function print(
  events: AsyncIterable<ReplayedEvent>,
  { fold, limit = Number.POSITIVE_INFINITY }: Options,
  { out }: Terminal,
  stop: AbortSignal,
): Promise<number> {
  const folding = fold ? createLedgerFold() : undefined
  let left = limit
  for await (const event of events) {
    if (folding) folding.add(event)
    else out(`${event.text}\n`)
    left -= 1
    if (left === 0) break
    if (stop.aborted) return exitCodes.interrupted
  }
  for (const line of folding?.lines() ?? []) out(`${line}\n`)
  return exitCodes.done
}
