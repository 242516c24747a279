import { Command, CommanderError } from 'commander'
import { addDemo } from './demo.ts'
import { describeFailure } from './describe-failure.ts'
import { addDoctor } from './doctor.ts'
import { exitCodes } from './exit-codes.ts'
import { addImport } from './import-command.ts'
import { addParked } from './parked.ts'
import { addRebuild } from './rebuild.ts'
import { addReplay } from './replay.ts'
import { addServe } from './serve.ts'
import { addStatus } from './status.ts'
import { printable, type Terminal } from './terminal.ts'
import { addVerify } from './verify.ts'

/** What commands are added with: where they write, and how they say what the program ends with. */
export interface Cli {
  readonly terminal: Terminal
  readonly end: (exitCode: number) => void
}

const additions: readonly ((program: Command, cli: Cli) => void)[] = [
  addServe,
  addDemo,
  addImport,
  addReplay,
  addRebuild,
  addParked,
  addStatus,
  addVerify,
  addDoctor,
]

/** Runs the program with the given arguments. Resolves to its exit code; never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = exitCodes.done
  const end = (code: number): void => {
    exitCode = code
  }
  try {
    await createProgram({ terminal, end }).parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said what was wrong with the arguments, or shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
    const failure = describeFailure(error)
    terminal.err.write(`evident: ${printable(failure.text)}\n`)
    if (isDetailed(terminal) && error instanceof Error) terminal.err.write(`${error.stack}\n`)
    return failure.exitCode
  }
}

const isDetailed = ({ environment }: Terminal): boolean =>
  environment.LOG_LEVEL === 'debug' || environment.LOG_LEVEL === 'trace'

/** What Commander says of arguments, as everything else here is said. */
const reworded = (text: string): string =>
  printable(text)
    .replace(/^error: option '(--[^ ']+)[^']*' argument '(.*)' is invalid\. /s, 'error: $1 $2: ')
    .replace(
      /^error: command-argument value '(.*)' is invalid for argument '(.*)'\. /s,
      'error: $2 $1: ',
    )
    .replace(/^error: (.*): Allowed/s, 'error: $1: allowed')
    .replace(/^error: /, 'evident: ')

/** Columns of help that goes to a file or a pipe. */
const helpWidth = 100

function createProgram(cli: Cli): Command {
  const { out, err, isWatched } = cli.terminal
  const program = new Command('evident')
    .description('A ledger whose every figure can be traced to an immutable log.')
    .version('0.1.0', '-v, --version')
    .showHelpAfterError('Run it with --help to see what it takes.')
    .configureOutput({
      writeOut: out,
      writeErr: (text) => void err.write(text),
      getOutHasColors: () => isWatched,
      outputError: (text, write) => write(reworded(text)),
      getOutHelpWidth: () => (isWatched ? process.stdout.columns : helpWidth),
      getErrHelpWidth: () => (err.isTTY ? process.stderr.columns : helpWidth),
    })
    .exitOverride()
  for (const add of additions) add(program, cli)
  return program.addHelpText(
    'after',
    [
      '',
      'First steps:',
      '  evident demo                     a small bank, fed and served, to look around in',
      '  evident serve --data ./data      a ledger of your own',
      '  evident doctor                   whether this machine has all that is needed',
    ].join('\n'),
  )
}
