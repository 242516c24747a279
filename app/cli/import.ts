import { readFile } from 'node:fs/promises'
import type { OpenedSink } from '../import/command-sink.ts'
import { describeReport } from '../import/describe-report.ts'
import { createProgressBars, noProgress } from '../import/import-progress.ts'
import type { ImportOutcome, MappingReport } from '../import/import-report.ts'
import { InvalidMapping, readMapping } from '../import/mapping.ts'
import { runImport } from '../import/run-import.ts'
import { exitCodes } from './exit-codes.ts'

export interface ImportCommand {
  /** Paths of the CSV and of its mapping. */
  readonly file: string
  readonly mapping: string
  readonly dryRun?: boolean
  readonly json?: boolean
  /** Sends what can be read although something of the file is wrong; the exit code still says so. */
  readonly despiteProblems?: boolean
}

export interface ImportTerminal {
  readonly out: (text: string) => void
  /** Where progress and errors go; bars are drawn only where it is a terminal. */
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly signal?: AbortSignal
}

const exitCodeOf: Readonly<Record<ImportOutcome, number>> = {
  done: exitCodes.done,
  checked: exitCodes.done,
  problems: exitCodes.wrong,
  refused: exitCodes.wrong,
  interrupted: exitCodes.interrupted,
}

/**
 * `evident import`. The sink is opened when the file has been checked and something is to be sent: a
 * dry run needs neither a server nor a data folder. Resolves to the exit code.
 */
export async function importCsv(
  command: ImportCommand,
  openSink: () => Promise<OpenedSink>,
  { out, err, signal }: ImportTerminal,
): Promise<number> {
  const print = (json: unknown, text: string): void =>
    out(command.json ? `${JSON.stringify(json, undefined, 2)}\n` : printable(text))
  try {
    const mapping = readMapping(await readFile(command.mapping, 'utf8'))
    const report = await runImport({
      file: command.file,
      mapping,
      openSink: command.dryRun ? undefined : openSink,
      despiteProblems: command.despiteProblems ?? false,
      progress: err.isTTY === true && !command.json ? createProgressBars(err) : noProgress,
      ...(signal && { signal }),
    })
    print(report, describeReport(report))
    return exitCodeOf[report.outcome]
  } catch (error) {
    if (error instanceof InvalidMapping) {
      const report: MappingReport = { outcome: 'mapping-not-valid', problems: error.problems }
      print(report, describeMapping(command.mapping, error))
      return exitCodes.usage
    }
    if (!isFileProblem(error)) throw error
    const detail = `${error.path ?? command.file} ${fileProblems[error.code ?? '']}`
    if (command.json) print({ outcome: 'file-not-readable', detail }, '')
    else err.write(printable(`evident: ${detail}\n`))
    return exitCodes.usage
  }
}

const describeMapping = (path: string, { problems }: InvalidMapping): string =>
  [
    `The mapping ${path} cannot be used:`,
    ...problems.map(({ pointer, message }) => `  ${pointer === '' ? '/' : pointer}  ${message}`),
    '',
  ].join('\n')

/** Control characters of a file or server could command the terminal. */
const printable = (text: string): string => text.replaceAll(/[^\P{Cc}\n]/gu, '?')

const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'may not be read',
  EISDIR: 'is a folder',
  ENOTDIR: 'is not there: a part of its path is no folder',
  EPERM: 'may not be read',
}

const isFileProblem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && Object.hasOwn(fileProblems, String(error.code))
