import type { Command } from 'commander'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import {
  type OperatedProjection,
  type OperationOptions,
  openOperations,
  requireProjection,
} from './operations.ts'
import type { Cli } from './run-cli.ts'
import { addSettingsOrUrl } from './setting-options.ts'
import { addSkip } from './skip-parked-command.ts'
import { printable, type Terminal } from './terminal.ts'

type Options = OperationOptions & { readonly json?: boolean }

export function addParked(program: Command, cli: Cli): void {
  const { terminal, end } = cli
  const parked = program
    .command('parked')
    .summary('streams that wait: list, try again, skip')
    .description('Streams that wait because an event could not be applied to a read model.')
  const withOptions = (command: Command): Command =>
    addSettingsOrUrl(command, ['DATA_FOLDER', 'EVENT_STORE', 'READ_MODELS']).option(
      '--json',
      'one JSON object a line',
    )

  withOptions(parked.command('list').description('List what is parked, with the reasons.'))
    .addHelpText('after', '\nExample:\n  evident parked list --json --url http://127.0.0.1:8080')
    .action(async (options: Options) => end(await list(options, terminal)))
  withOptions(
    parked
      .command('retry')
      .description('Try a parked stream again, in order; without a stream, all of the projection.')
      .argument('<projection>', 'its name, such as accounts')
      .argument('[stream]', 'such as ledger-main')
      .addHelpText('after', '\nExample:\n  evident parked retry accounts ledger-main'),
  ).action(async (projection: string, stream: string | undefined, options: Options) =>
    end(await retry(projection, stream, options, terminal)),
  )
  withOptions(addSkip(parked, cli))
}

/** Exit code 1 where something is parked, so that a script sees it. */
async function list(options: Options, terminal: Terminal): Promise<number> {
  const operations = await openOperations(options, terminal)
  try {
    const parked = parkedIn(await operations.status())
    for (const one of parked) {
      const { projection, stream, revision, reason } = one
      const text = `${projection}  ${stream}@${revision}  ${reason}`
      terminal.out(`${options.json ? JSON.stringify(one) : printable(text)}\n`)
    }
    if (parked.length === 0 && !options.json) terminal.out('Nothing is parked.\n')
    return parked.length === 0 ? exitCodes.done : exitCodes.wrong
  } finally {
    await operations.close()
  }
}

const parkedIn = (projections: readonly OperatedProjection[]) =>
  projections.flatMap(({ projection, parked }) => parked.map((one) => ({ projection, ...one })))

async function retry(
  projection: string,
  stream: string | undefined,
  options: Options,
  terminal: Terminal,
): Promise<number> {
  const operations = await openOperations(options, terminal)
  try {
    const of = await requireProjection(projection, operations)
    const parked = of.parked.filter((one) => stream === undefined || one.stream === stream)
    if (parked.length === 0 && stream !== undefined) {
      throw new CommandFailed(exitCodes.usage, `${stream} is not parked in ${projection}.`)
    }
    let stillParked = 0
    for (const one of parked) {
      const flows = await operations.retry(projection, one.stream)
      if (!flows) stillParked += 1
      const told = { projection, stream: one.stream, flows }
      const text = `${one.stream} ${flows ? 'flows again' : 'is still parked'}`
      terminal.out(`${options.json ? JSON.stringify(told) : printable(text)}\n`)
    }
    if (parked.length === 0 && !options.json) terminal.out('Nothing is parked.\n')
    return stillParked === 0 ? exitCodes.done : exitCodes.wrong
  } finally {
    await operations.close()
  }
}
