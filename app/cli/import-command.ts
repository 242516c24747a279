import type { Command } from 'commander'
import { systemClock } from '../../platform/clock.ts'
import { createLog } from '../../platform/log.ts'
import { createMetrics } from '../../platform/metrics.ts'
import { loadConfig } from '../config.ts'
import type { OpenedSink } from '../import/command-sink.ts'
import { createFolderCommandSink } from '../import/folder-command-sink.ts'
import { createHttpCommandSink } from '../import/http-command-sink.ts'
import { ledgerService } from '../ledger-service.ts'
import { openWriteSide } from '../write-side.ts'
import { targetOf } from './ask-server.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import { importCsv } from './import.ts'
import type { Cli } from './run-cli.ts'
import { addSettingsOrUrl, flagsIn } from './setting-options.ts'
import type { Terminal } from './terminal.ts'

type Options = Readonly<Record<string, unknown>> & {
  readonly mapping: string
  readonly url?: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly despiteProblems?: boolean
}

export function addImport(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('import')
    .summary('load a CSV into a ledger')
    .description(
      'Checks a CSV by a mapping, running balances included, then posts its rows. Running it again ' +
        'adds nothing; an interrupted import goes on.',
    )
    .argument('<file>', 'the CSV')
    .requiredOption('--mapping <file>', 'what its columns mean, as JSON')
  addSettingsOrUrl(command, ['DATA_FOLDER', 'EVENT_STORE'])
    .option('--dry-run', 'check the file and send nothing')
    .option('--despite-problems', 'send what can be read; the exit code still says what is wrong')
    .option('--json', 'the report as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  evident import trans.csv --mapping mapping.json --dry-run\n' +
        '  evident import trans.csv --mapping mapping.json --url http://127.0.0.1:8080',
    )
    .action(async (file: string, options: Options) => {
      const { out, err } = terminal
      if (options.url !== undefined) targetOf(options.url, '/') // before the file is read
      const open = () => openSink(options, terminal)
      end(await importCsv({ ...options, file }, open, { out, err, signal: terminal.stopSignal() }))
    })
}

async function openSink(options: Options, { environment }: Terminal): Promise<OpenedSink> {
  if (options.url !== undefined) {
    return { sink: createHttpCommandSink({ url: options.url }), close: async () => {} }
  }
  const config = loadConfig({ LOG_LEVEL: 'warn', ...environment }, { flags: flagsIn(options) })
  const log = createLog(config.logLevel)
  const { handlers, close } = await explainFolderInUse(config.dataFolder, () =>
    openWriteSide(config, { domains: [ledgerService], log, metrics: createMetrics() }),
  )
  const ledgers = handlers.get(ledgerService)
  if (!ledgers) throw new Error('the write side has no handler of ledgers')
  const { commandTimeoutMs } = config
  return { sink: createFolderCommandSink({ ledgers, clock: systemClock, commandTimeoutMs }), close }
}
