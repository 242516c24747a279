import type { Command } from 'commander'
import { createLog } from '../../platform/log.ts'
import { loadConfig } from '../config.ts'
import { createDemoBank } from '../demo/demo-bank.ts'
import { describeFed, describeSights, describeTrying } from '../demo/describe-demo.ts'
import { type Fed, feedBank } from '../demo/feed-bank.ts'
import { lookAround, type Sights } from '../demo/look-around.ts'
import { exitCodes } from './exit-codes.ts'
import { findFreePort } from './free-port.ts'
import { openForServing } from './open-for-serving.ts'
import { createProgressBar } from './progress-bar.ts'
import type { Cli } from './run-cli.ts'
import { aborted } from './serve.ts'
import { addSettings, flagsIn } from './setting-options.ts'
import type { Terminal } from './terminal.ts'

type Options = Readonly<Record<string, unknown>> & {
  readonly data: string
  readonly exit?: boolean
  readonly json?: boolean
}

export function addDemo(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('demo')
    .summary('a small bank, fed and served, to look around in')
    .description(
      'Serves a data folder of its own, feeds a year of a small bank through the HTTP API, shows ' +
        'what happened, and stays up. A second run goes on with what is there. A port that is taken is ' +
        'passed over. Of the environment it reads PORT and LOG_LEVEL (default warn) only.',
    )
    .option('--data <folder>', 'folder of the demo', './data/demo')
  addSettings(command, ['PORT'])
    .option('--exit', 'end when it has been shown')
    .option('--json', 'tell what happened as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  evident demo\n  evident demo --exit\n  evident demo --data /tmp/bank --port 9000',
    )
    .action(async (options: Options) => end(await demo(options, terminal)))
}

/** Reads no other settings: those of a ledger that is in use must not lead the demo there. */
async function demo(options: Options, terminal: Terminal): Promise<number> {
  const stop = terminal.stopSignal()
  const { PORT, LOG_LEVEL = 'warn' } = terminal.environment
  const flags = { ...flagsIn(options), DATA_FOLDER: options.data }
  const { host, port, ...rest } = loadConfig({ PORT, LOG_LEVEL }, { flags })
  const config = { ...rest, host, port: await findFreePort(host, port) }
  if (config.port !== port) terminal.err.write(`Port ${port} is taken: ${config.port} is used.\n`)
  const { url, close } = await openForServing(config, createLog(config.logLevel))
  try {
    const fed = await feed(url, terminal)
    const sights = await lookAround(url)
    tell({ url, fed, sights, options }, terminal)
    if (!options.exit) await aborted(stop)
    return isAsItShouldBe(fed, sights) ? exitCodes.done : exitCodes.wrong
  } finally {
    await close()
  }
}

async function feed(url: string, { err }: Terminal): Promise<Fed> {
  const bar = createProgressBar(err, 'A bank’s year')
  try {
    return await feedBank(url, createDemoBank(), bar.update)
  } finally {
    bar.stop()
  }
}

interface Told {
  readonly url: string
  readonly fed: Fed
  readonly sights: Sights
  readonly options: Options
}

function tell({ url, fed, sights, options }: Told, { out, paint }: Terminal): void {
  if (options.json) {
    const plain = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)
    out(`${JSON.stringify({ url, fed, sights }, plain)}\n`)
    return
  }
  out(`A year of a small bank, in ${options.data}:\n\n`)
  out(`${describeFed(fed, paint)}\n${describeSights(sights, paint)}\n`)
  if (!options.exit) out(describeTrying(url, paint))
}

const isAsItShouldBe = ({ unexpected }: Fed, { totals, replay }: Sights): boolean =>
  unexpected.length === 0 && totals.sum === 0n && replay.replayed
