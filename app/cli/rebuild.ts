import type { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { type OperationOptions, openOperations, requireProjection } from './operations.ts'
import { createProgressBar } from './progress-bar.ts'
import type { Cli } from './run-cli.ts'
import { addSettingsOrUrl } from './setting-options.ts'
import type { Terminal } from './terminal.ts'

type Options = OperationOptions & { readonly json?: boolean }

export function addRebuild(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('rebuild')
    .summary('build a read model anew from the log')
    .description(
      'Builds a projection beside the live one, which serves reads until the new one has come as far.',
    )
    .argument('<projection>', 'its name, as status shows it without the version')
  addSettingsOrUrl(command, ['DATA_FOLDER', 'EVENT_STORE', 'READ_MODELS'])
    .option('--json', 'tell what came of it as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  evident rebuild accounts\n  evident rebuild accounts --url http://127.0.0.1:8080',
    )
    .action(async (projection: string, options: Options) =>
      end(await rebuild(projection, options, terminal)),
    )
}

async function rebuild(projection: string, options: Options, terminal: Terminal): Promise<number> {
  const operations = await openOperations(options, terminal)
  const bar = createProgressBar(terminal.err, `Rebuilding ${projection}`)
  const startedAt = performance.now()
  try {
    await requireProjection(projection, operations)
    await operations.rebuild(projection, ({ position, end }) =>
      bar.update(Number(position), Number(end)),
    )
  } finally {
    bar.stop()
    await operations.close()
  }
  const seconds = Math.round(performance.now() - startedAt) / 1000
  if (options.json) terminal.out(`${JSON.stringify({ projection, seconds })}\n`)
  else terminal.out(`${projection} was rebuilt in ${seconds} s, and is live.\n`)
  return exitCodes.done
}
