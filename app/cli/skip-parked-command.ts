import { type Command, InvalidArgumentError } from 'commander'
import { anonymous } from '../../platform/caller.ts'
import { maxReasonCharacters } from '../parked-operations.ts'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import {
  type OperatedProjection,
  type OperationOptions,
  type Operations,
  openOperations,
  requireProjection,
} from './operations.ts'
import type { Cli } from './run-cli.ts'
import { printable, type Terminal } from './terminal.ts'

type Options = OperationOptions & {
  readonly reason?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** An event of a projection, as the arguments name it. */
interface Place {
  readonly projection: string
  readonly stream: string
  readonly revision: string
}

/** `evident parked skip`, without the options that all commands on parked streams take. */
export function addSkip(parked: Command, { terminal, end }: Cli): Command {
  return parked
    .command('skip')
    .summary('Leave out, for good, the event that a stream waits at.')
    .description(
      'Leave out, for good, the event that a stream waits at. The decision is logged, rebuilds and ' +
        'verify obey it, and the projection is marked incomplete.',
    )
    .argument('<projection>', 'its name, such as accounts')
    .argument('<stream>', 'such as ledger-main')
    .argument('<revision>', 'where it waits, as `evident parked list` shows it', readRevision)
    .option('--reason <text>', 'why, for those who read the log later', readReason)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExample:\n  evident parked skip accounts ledger-main 17 --reason "see incident 204"',
    )
    .action(async (projection: string, stream: string, revision: string, options: Options) =>
      end(await skip({ projection, stream, revision }, options, terminal)),
    )
}

function readRevision(text: string): string {
  if (/^(0|[1-9]\d{0,18})$/.test(text)) return text
  throw new InvalidArgumentError('expected a whole number from 0, such as 17.')
}

function readReason(text: string): string {
  if (text.trim() !== '' && text.length <= maxReasonCharacters) return text
  throw new InvalidArgumentError(`expected 1 to ${maxReasonCharacters} characters.`)
}

async function skip(place: Place, options: Options, terminal: Terminal): Promise<number> {
  const { reason, yes, json } = options
  // Commander would ask for it before it asks for what is to be skipped.
  if (reason === undefined) {
    throw new CommandFailed(exitCodes.usage, "required option '--reason <text>' not specified")
  }
  const operations = await openOperations(options, terminal)
  try {
    const of = await requireWaiting(place, operations)
    if (!yes && !(await isConfirmed(place, of, terminal))) {
      throw new CommandFailed(exitCodes.interrupted, 'Nothing was skipped.')
    }
    const outcome = await operations.skip({ ...place, reason, by: anonymous })
    if (json) terminal.out(`${JSON.stringify({ ...place, reason, ...outcome })}\n`)
    else {
      const { parked } = outcome
      const then = outcome.flows
        ? 'flows again'
        : `waits again${parked ? ` at revision ${parked.revision}: ${parked.reason}` : ''}`
      const text = `${place.stream}@${place.revision} is left out of ${of.projection}; the stream ${then}.`
      terminal.out(`${printable(text)}\n`)
    }
    return outcome.flows ? exitCodes.done : exitCodes.wrong
  } finally {
    await operations.close()
  }
}

/** @throws {CommandFailed} where the stream does not wait at just this event */
async function requireWaiting(
  { projection, stream, revision }: Place,
  operations: Operations,
): Promise<OperatedProjection> {
  const of = await requireProjection(projection, operations)
  const waiting = of.parked.find((one) => one.stream === stream)
  if (waiting?.revision === revision) return of
  const problem = waiting
    ? `${stream} waits at revision ${waiting.revision} in ${projection}, not at ${revision}.`
    : `${stream} is not parked in ${projection}: \`evident parked list\` shows what is.`
  throw new CommandFailed(exitCodes.usage, problem)
}

/** @throws {CommandFailed} where there is nobody to ask */
async function isConfirmed(
  { stream, revision }: Place,
  { projection, parked }: OperatedProjection,
  { confirm }: Terminal,
): Promise<boolean> {
  if (!confirm) {
    const text = 'This leaves an event out for good and there is no terminal to ask on: give --yes.'
    throw new CommandFailed(exitCodes.usage, text)
  }
  const reason = parked.find((one) => one.stream === stream)?.reason ?? ''
  return confirm(
    printable(
      `${stream}@${revision} could not be applied: ${reason}\n` +
        `${projection} will leave it out for good, and be marked incomplete. Skip it? [y/N] `,
    ),
  )
}
