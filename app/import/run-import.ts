import { stat } from 'node:fs/promises'
import { type CheckedFile, checkFile } from './check-file.ts'
import type { OpenedSink } from './command-sink.ts'
import { type ImportProgress, noProgress } from './import-progress.ts'
import { type ImportOutcome, type ImportReport, maxListed } from './import-report.ts'
import type { ReadMapping } from './mapping.ts'
import { type CommandPlan, planCommands } from './plan-commands.ts'
import { nothingPosted, type Posted, postCommands } from './post-commands.ts'
import { sumRoundings } from './sum-roundings.ts'

export interface ImportOptions {
  readonly file: string
  readonly mapping: ReadMapping
  /** Called when there is something to send; `undefined` for a dry run, which only checks. */
  readonly openSink: (() => Promise<OpenedSink>) | undefined
  /** Sends what can be read although something of the file is wrong. */
  readonly despiteProblems?: boolean
  readonly progress?: ImportProgress
  /** Stops after the commands that have been sent. */
  readonly signal?: AbortSignal
}

/**
 * Checks the whole file, then sends its commands. Ids and keys come from the data, so a second run
 * adds nothing and an interrupted one goes on.
 * @throws {InvalidMapping} and what the file system throws
 */
export async function runImport(options: ImportOptions): Promise<ImportReport> {
  const {
    file,
    mapping,
    openSink,
    despiteProblems = false,
    progress = noProgress,
    signal,
  } = options
  const startedAt = performance.now()
  try {
    const { size } = await stat(file)
    const checked = await checkFile(file, mapping, (bytes) => progress.checking(bytes, size))
    const plan = planCommands(checked.mapping, checked.reconciled)
    const checkedAt = performance.now()
    const mayPost = openSink && (checked.problems.length === 0 || despiteProblems)
    const posted = mayPost
      ? await postTo(openSink, checked.mapping.ledger, plan, { progress, signal })
      : nothingPosted(plan)
    return {
      outcome: outcomeOf(checked, posted, openSink === undefined),
      file,
      dryRun: openSink === undefined,
      ...describeFile(checked, plan.zeroRows),
      ...posted,
      seconds: {
        checking: secondsBetween(startedAt, checkedAt),
        posting: secondsBetween(checkedAt, performance.now()),
      },
    }
  } finally {
    progress.stop()
  }
}

async function postTo(
  openSink: () => Promise<OpenedSink>,
  ledger: string,
  plan: CommandPlan,
  {
    progress,
    signal,
  }: { readonly progress: ImportProgress; readonly signal: AbortSignal | undefined },
): Promise<Posted> {
  const { sink, close } = await openSink()
  try {
    return await postCommands(sink, ledger, plan, {
      signal,
      onAnswer: (answered, of) => progress.posting(answered, of),
    })
  } finally {
    await close()
  }
}

/** The first that holds is what the user has to know. */
function outcomeOf({ problems }: CheckedFile, posted: Posted, dryRun: boolean): ImportOutcome {
  if (posted.interruption !== undefined) return 'interrupted'
  if (problems.length > 0) return 'problems'
  if (posted.refusals.count > 0) return 'refused'
  return dryRun ? 'checked' : 'done'
}

type FileDescription = Pick<
  ImportReport,
  'ledger' | 'rows' | 'firstDate' | 'lastDate' | 'balances' | 'rounding' | 'problems'
>

function describeFile(checked: CheckedFile, zeroRows: number): FileDescription {
  const { mapping, reconciled, problems } = checked
  const { movements, balancesChecked, reordered } = reconciled
  return {
    ledger: mapping.ledger,
    rows: {
      read: checked.rowsRead,
      skippedByRule: checked.skippedByRule,
      withoutAmount: checked.withoutAmount + zeroRows,
    },
    firstDate: movements.at(0)?.movement.day,
    lastDate: movements.at(-1)?.movement.day,
    balances: { checked: balancesChecked, differing: reconciled.problems.length, reordered },
    rounding: sumRoundings(movements, mapping.runningBalance?.roundingAccount),
    problems: { count: problems.length, listed: problems.slice(0, maxListed) },
  }
}

const secondsBetween = (from: number, to: number): number => Math.round(to - from) / 1000
