import { Argument, type Command } from 'commander'
import { createLog } from '../../platform/log.ts'
import { loadConfig } from '../config.ts'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import { openForServing } from './open-for-serving.ts'
import type { Cli } from './run-cli.ts'
import { addSettings, allSettings, flagsIn } from './setting-options.ts'
import type { Terminal } from './terminal.ts'

type Options = Readonly<Record<string, unknown>> & {
  readonly allowAnonymous?: boolean
  readonly json?: boolean
}

export function addServe(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('serve')
    .summary('serve a data folder over HTTP')
    .description('Serves commands, queries and projections over one data folder, on one port.')
    .addArgument(
      new Argument('[role]', 'what this process does; the embedded engines know only `all`')
        .choices(['all', 'command', 'query', 'projector', 'relay'])
        .default('all'),
    )
  addSettings(command, allSettings)
    .option('--allow-anonymous', 'listen where other machines can reach it, without identity')
    .option('--json', 'say where it serves as one line of JSON')
    .addHelpText('after', examples)
    .action(async (role: string, options: Options) => end(await serve(role, options, terminal)))
}

const examples = `
Examples:
  evident serve                              ./data on http://127.0.0.1:8080
  evident serve --data ./books --port 9000
  PORT=0 evident serve --json                any free port, told as JSON

Stops on SIGINT or SIGTERM when what is under way has been answered; a second one ends it at once.`

/** Serves until it is told to stop. @throws {CommandFailed} and what `openEvident` throws */
async function serve(role: string, options: Options, terminal: Terminal): Promise<number> {
  if (role !== 'all') {
    throw new CommandFailed(
      exitCodes.usage,
      `The role ${role} needs engines that processes share: sqlite: and memory: mean one process. Run \`evident serve\`.`,
    )
  }
  const { allowAnonymous = false, json } = options
  const stop = terminal.stopSignal()
  const config = loadConfig(terminal.environment, { allowAnonymous, flags: flagsIn(options) })
  const log = createLog(config.logLevel)
  const { url, close } = await openForServing(config, log)
  const { dataFolder } = config
  if (json) terminal.out(`${JSON.stringify({ url, dataFolder, pid: process.pid })}\n`)
  else terminal.out(`Evident serves ${dataFolder} on ${url} (what it can do: ${url}/docs)\n`)
  await aborted(stop)
  log.info('stopping: what is under way is answered first')
  await close()
  return exitCodes.done
}

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
