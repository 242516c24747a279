import type { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { domains } from '../domains.ts'
import { openFolder } from '../open-folder.ts'
import type { Verification, VerifyProgress } from '../verify/verification.ts'
import { verify as verifyData } from '../verify/verify.ts'
import { exitCodes } from './exit-codes.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import { createProgressBar } from './progress-bar.ts'
import type { Cli } from './run-cli.ts'
import { addSettingsOrUrl, flagsIn } from './setting-options.ts'
import { printable, type Terminal } from './terminal.ts'
import { verifyOnServer } from './verify-on-server.ts'

type Options = Readonly<Record<string, unknown>> & {
  readonly url?: string
  readonly json?: boolean
}

type OnProgress = (progress: VerifyProgress) => void

export function addVerify(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('verify')
    .summary('prove that all is what the log says')
    .description(
      'Checks every event (bytes, order, and that the rules would decide it again), that every ' +
        'asset sums to zero, and every document of the read models against a build of its own, ' +
        'all as it was at one position of the log. Exit code 1 where anything differs.',
    )
  addSettingsOrUrl(
    command,
    ['DATA_FOLDER', 'EVENT_STORE', 'READ_MODELS'],
    'a running server, which goes on serving, instead of a folder',
  )
    .option('--json', 'what was found as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  evident verify --data ./data\n' +
        '  evident verify --url http://127.0.0.1:8080\n  evident verify --json | jq .listed',
    )
    .action(async (options: Options) => end(await verify(options, terminal)))
}

async function verify(options: Options, terminal: Terminal): Promise<number> {
  const { url } = options
  const progress = showProgress(terminal)
  const verification = await (url === undefined
    ? verifyFolder(options, terminal, progress.show)
    : verifyOnServer(url, { onProgress: progress.show, stop: terminal.stopSignal() })
  ).finally(progress.stop)
  if (options.json) terminal.out(`${JSON.stringify(verification)}\n`)
  else terminal.out(printable(describe(verification)))
  return verification.findings === 0 ? exitCodes.done : exitCodes.wrong
}

async function verifyFolder(
  options: Options,
  { environment }: Terminal,
  onProgress: OnProgress,
): Promise<Verification> {
  const config = loadConfig({ LOG_LEVEL: 'warn', ...environment }, { flags: flagsIn(options) })
  const { store, logId, close } = await explainFolderInUse(config.dataFolder, () =>
    openFolder(config),
  )
  return verifyData(config, { store, logId, domains, onProgress }).finally(close)
}

function showProgress({ err }: Terminal) {
  const bars = {
    log: createProgressBar(err, 'Reading the log '),
    'read-models': createProgressBar(err, 'Building shadows'),
  }
  const show: OnProgress = ({ step, position, end }) => {
    for (const [name, bar] of Object.entries(bars)) if (name !== step) bar.stop()
    if (step !== 'log' && step !== 'read-models') return
    if (position !== undefined && end !== undefined) {
      bars[step].update(Number(position), Number(end))
    }
  }
  const stop = (): void => {
    for (const bar of Object.values(bars)) bar.stop()
  }
  return { show, stop }
}

/** Findings shown to people; `--json` has more. */
const maxShown = 50

function describe(verification: Verification): string {
  const { logId, position, findings, listed } = verification
  const figures = figuresOf(verification)
  if (findings === 0) {
    return (
      `The log ${logId} is whole up to position ${position}: ${figures}.\n` +
      'Every event is canonical, in its place and lawful; every asset sums to zero; ' +
      `${describeReadModels(verification)}\n${describeSkipped(verification)}`
    )
  }
  const shown = listed
    .slice(0, maxShown)
    .map(({ check, at, detail }) => `${check}: ${at}: ${detail}`)
  const more = findings - shown.length
  return [
    `${counted(findings, 'finding')} in the log ${logId} up to position ${position} (${figures}):`,
    ...shown,
    ...(more > 0 ? [`… and ${more} more (--json lists them)`] : []),
    describeSkipped(verification),
  ].join('\n')
}

function describeReadModels({ unbuilt }: Verification): string {
  if (unbuilt.length === 0) return 'every document of the read models is what the log makes it.'
  return (
    `there is no read model yet of ${unbuilt.join(', ')}, which the next start builds from the log: ` +
    'what is there was checked.'
  )
}

const figuresOf = ({ events, streams, snapshots, seconds }: Verification): string =>
  [
    counted(events, 'event'),
    ...Object.entries(streams).map(([category, count]) => counted(count, category)),
    `${counted(snapshots, 'snapshot')} in ${seconds} s`,
  ].join(', ')

const describeSkipped = ({ skipped }: Verification): string =>
  skipped === 0
    ? ''
    : `Left out of a read model by an operator’s decision: ${counted(skipped, 'event')} (evident replay --stream control-projections).\n`

const counted = (count: number, what: string): string =>
  `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`
