import { existsSync } from 'node:fs'
import { rm, statfs, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { type Config, InvalidConfig, loadConfig } from '../config.ts'
import { openFolder } from '../open-folder.ts'
import { describeFailure } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import { findFreePort } from './free-port.ts'
import type { Cli } from './run-cli.ts'
import { addSettings, allSettings, flagsIn } from './setting-options.ts'
import { printable, type Terminal } from './terminal.ts'

type Options = Readonly<Record<string, unknown>> & {
  readonly json?: boolean
  readonly allowAnonymous?: boolean
}

/** One thing that was looked at; where it is not well, `detail` says what to do. */
interface Diagnosis {
  readonly name: string
  readonly isWell: boolean
  readonly detail: string
}

/** A year of a middling bank fits into it. */
const leastFreeBytes = 1_000_000_000

export function addDoctor(program: Command, { terminal, end }: Cli): void {
  const command = program
    .command('doctor')
    .summary('whether this machine and this folder are fit')
    .description(
      'Looks at Node, the configuration, the disk, the port and the engines, and says what to do. ' +
        'Exit code 1 where something is not well.',
    )
  addSettings(command, allSettings)
    .option('--allow-anonymous', 'as for serve')
    .option('--json', 'one JSON object')
    .addHelpText('after', '\nExample:\n  evident doctor --data ./books --port 9000')
    .action(async (options: Options) => end(await doctor(options, terminal)))
}

async function doctor(options: Options, terminal: Terminal): Promise<number> {
  const diagnoses = await diagnose(options, terminal)
  const isWell = diagnoses.every((one) => one.isWell)
  if (options.json) terminal.out(`${JSON.stringify({ isWell, diagnoses })}\n`)
  else for (const one of diagnoses) terminal.out(describe(one, terminal))
  return isWell ? exitCodes.done : exitCodes.wrong
}

function describe({ name, isWell, detail }: Diagnosis, { paint }: Terminal): string {
  const mark = isWell ? paint('green', 'well ') : paint('red', 'wrong')
  return `${mark}  ${name.padEnd(14)} ${printable(detail)}\n`
}

async function diagnose(options: Options, terminal: Terminal): Promise<readonly Diagnosis[]> {
  const node: Diagnosis = { name: 'Node', isWell: true, detail: process.version }
  const { allowAnonymous = false } = options
  let config: Config
  try {
    config = loadConfig(terminal.environment, { allowAnonymous, flags: flagsIn(options) })
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error
    const detail = error.problems.join('; ')
    return [node, { name: 'configuration', isWell: false, detail }]
  }
  const told = `data in ${resolve(config.dataFolder)}, served on ${config.host}:${config.port}`
  return [
    node,
    { name: 'configuration', isWell: true, detail: told },
    await look('folder', () => lookAtFolder(config)),
    await look('disk', () => lookAtDisk(config)),
    await look('port', () => lookAtPort(config)),
    await look('event store', () => lookAtLog(config)),
  ]
}

/** What a look fails with is a diagnosis too. */
async function look(name: string, at: () => Promise<Omit<Diagnosis, 'name'>>): Promise<Diagnosis> {
  try {
    return { name, ...(await at()) }
  } catch (error) {
    return { name, isWell: false, detail: describeFailure(error).text }
  }
}

async function lookAtFolder({ dataFolder }: Config) {
  const isNew = !existsSync(dataFolder)
  if (isNew) return { isWell: true, detail: `${dataFolder} will be made at the first start` }
  const probe = join(dataFolder, `.doctor-${process.pid}`)
  await writeFile(probe, 'written by evident doctor')
  await rm(probe)
  return { isWell: true, detail: `${dataFolder} can be written` }
}

async function lookAtDisk({ dataFolder }: Config) {
  const { bavail, bsize } = await statfs(nearestFolder(resolve(dataFolder)))
  const free = bavail * bsize
  const shown = `${(free / 1e9).toFixed(1)} GB free`
  const isWell = free >= leastFreeBytes
  return { isWell, detail: isWell ? shown : `${shown}: make room, writes will soon be refused` }
}

const nearestFolder = (path: string): string =>
  existsSync(path) ? path : nearestFolder(dirname(path))

async function lookAtPort({ host, port }: Config) {
  if (port === 0) return { isWell: true, detail: 'any that is free' }
  const free = await findFreePort(host, port)
  if (free === port) return { isWell: true, detail: `${port} is free` }
  return { isWell: false, detail: `${port} is taken: give another with --port, such as ${free}` }
}

async function lookAtLog(config: Config) {
  if (!existsSync(config.eventStorePath)) {
    return { isWell: true, detail: `${config.eventStorePath} will be made at the first start` }
  }
  const folder = await explainFolderInUse(config.dataFolder, () => openFolder(config), {
    takesUrl: false,
  })
  await folder.close()
  return { isWell: true, detail: `${config.eventStorePath} holds the log ${folder.logId}` }
}
