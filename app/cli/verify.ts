import type { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { openFolder } from '../open-folder.ts'
import { type Verification, verifyFolder } from '../verify/verify-folder.ts'
import { exitCodes } from './exit-codes.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import { createProgressBar } from './progress-bar.ts'
import type { Cli } from './run-cli.ts'
import { addSettings, withFlags } from './setting-options.ts'
import { printable, type Terminal } from './terminal.ts'

type Options = Readonly<Record<string, unknown>> & { readonly json?: boolean }

export function addVerify(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('verify')
    .summary('prove a folder against its log')
    .description(
      'Checks every event (bytes, order, and that the rules would decide it again), that every ' +
        'asset sums to zero, and every document of the read models against a build of its own. ' +
        'The folder must not be served meanwhile. Exit code 1 where anything differs.',
    )
  addSettings(command, ['DATA_FOLDER', 'EVENT_STORE', 'READ_MODELS'])
    .option('--json', 'what was found as JSON')
    .addHelpText('after', '\nExamples:\n  evident verify --data ./data\n  evident verify --json')
    .action(async (options: Options) => end(await verify(options, terminal)))
}

async function verify(options: Options, terminal: Terminal): Promise<number> {
  const config = loadConfig(withFlags({ LOG_LEVEL: 'warn', ...terminal.environment }, options))
  const folder = await explainFolderInUse(config.dataFolder, () => openFolder(config), {
    takesUrl: false,
  })
  const reading = createProgressBar(terminal.err, 'Reading the log ')
  const building = createProgressBar(terminal.err, 'Building shadows')
  const startedAt = performance.now()
  let verification: Verification
  try {
    verification = await verifyFolder(config, folder, {
      checkingFiles: () => {},
      readingLog: (position, end) => reading.update(Number(position), Number(end)),
      buildingShadows(position, end) {
        reading.stop()
        building.update(Number(position), Number(end))
      },
    })
  } finally {
    reading.stop()
    building.stop()
    await folder.close()
  }
  const seconds = Math.round(performance.now() - startedAt) / 1000
  if (options.json) terminal.out(`${JSON.stringify({ ...verification, seconds })}\n`)
  else terminal.out(printable(describe(verification, seconds)))
  return verification.findings === 0 ? exitCodes.done : exitCodes.wrong
}

/** Findings shown to people; `--json` has more. */
const maxShown = 50

function describe(
  { logId, events, ledgers, accounts, snapshots, findings, listed }: Verification,
  seconds: number,
): string {
  const figures = [
    counted(events, 'event'),
    counted(ledgers, 'ledger'),
    counted(accounts, 'account'),
    `${counted(snapshots, 'snapshot')} in ${seconds} s`,
  ].join(', ')
  if (findings === 0) {
    return (
      `The log ${logId} is whole: ${figures}.\nEvery event is canonical, in its place and lawful; ` +
      'every asset sums to zero; every document of the read models is what the log makes it.\n'
    )
  }
  const shown = listed
    .slice(0, maxShown)
    .map(({ check, at, detail }) => `${check}: ${at}: ${detail}`)
  const more = findings - shown.length
  return [
    `${counted(findings, 'finding')} in the log ${logId} (${figures}):`,
    ...shown,
    ...(more > 0 ? [`… and ${more} more (--json lists them)`] : []),
    '',
  ].join('\n')
}

const counted = (count: number, what: string): string =>
  `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`
