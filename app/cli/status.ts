import { setTimeout as pause } from 'node:timers/promises'
import Table from 'cli-table3'
import type { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { type OperatedProjection, type OperationOptions, openOperations } from './operations.ts'
import type { Cli } from './run-cli.ts'
import { addSettingsOrUrl } from './setting-options.ts'
import { printable, type Terminal } from './terminal.ts'

type Options = OperationOptions & { readonly json?: boolean; readonly watch?: boolean }

/** How often a watched status is asked for. */
const watchMs = 1_000

export function addStatus(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('status')
    .summary('how far each read model is, and what waits')
    .description('Shows each projection: its live build, how far it is behind, what is parked.')
  addSettingsOrUrl(command, ['DATA_FOLDER', 'EVENT_STORE', 'READ_MODELS'])
    .option('--watch', 'again each second, until it is stopped')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExample:\n  evident status --watch --url http://127.0.0.1:8080')
    .action(async (options: Options) => end(await status(options, terminal)))
}

/** Exit code 1 where something is halted or parked. */
async function status(options: Options, terminal: Terminal): Promise<number> {
  const stop = options.watch ? terminal.stopSignal() : undefined
  const operations = await openOperations(options, terminal)
  const atRest = options.url === undefined ? 'level, not served' : 'running'
  try {
    for (;;) {
      const projections = await operations.status()
      if (options.watch && terminal.isWatched && !options.json) terminal.out(clearScreen)
      terminal.out(
        options.json ? `${JSON.stringify({ projections })}\n` : table(projections, atRest),
      )
      if (!stop) return projections.every(isWell) ? exitCodes.done : exitCodes.wrong
      await pause(watchMs, undefined, { signal: stop }).catch(() => undefined)
      if (stop.aborted) return exitCodes.done
    }
  } finally {
    await operations.close()
  }
}

const clearScreen = '\u001b[2J\u001b[H'

const isWell = ({ halted, parked }: OperatedProjection): boolean =>
  halted === undefined && parked.length === 0

/** `atRest` is what is said of a projection that nothing is the matter with. */
function table(projections: readonly OperatedProjection[], atRest: string): string {
  const rows = new Table({
    head: ['projection', 'live build', 'position', 'behind', 'parked', 'state'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'right', 'right', 'right', 'left'],
  })
  for (const one of projections) {
    const { projection, build, position = '', lagSeconds, parked, halted, isIncomplete } = one
    const behind = lagSeconds === undefined ? '' : `${lagSeconds.toFixed(1)} s`
    const state = halted ?? (isIncomplete ? 'incomplete: events were left out' : atRest)
    rows.push([projection, build, position, behind, parked.length, printable(state)])
  }
  return `${rows.toString()}\n`
}
