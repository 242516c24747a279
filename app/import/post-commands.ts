import { type CommandResult, type CommandSink, SubmissionCut } from './command-sink.ts'
import { type ImportReport, maxListed, type Refusal } from './import-report.ts'
import type { CommandPlan, PlannedCommand } from './plan-commands.ts'

/** What the ledger answered. */
export type Posted = Pick<
  ImportReport,
  'accounts' | 'transactions' | 'refusals' | 'lastRevision' | 'interruption'
>

/** The ledger or the account was there already with other content: the import uses it as it is. */
const existsAlready = new Set(['ledger-exists', 'account-exists'])

/** Submits a plan's commands and counts the answers. Stops sending, not waiting, at the signal. */
export async function postCommands(
  sink: CommandSink,
  ledger: string,
  { setUp, transactions }: CommandPlan,
  {
    signal,
    onAnswer,
  }: {
    readonly signal?: AbortSignal | undefined
    readonly onAnswer: (answered: number, of: number) => void
  },
): Promise<Posted> {
  const planned = [...setUp, ...transactions]
  const tally = createTally(transactions.length)
  let answered = 0
  let interruption: string | undefined
  async function* commands() {
    for (const { command } of planned) {
      if (signal?.aborted) return
      yield command
    }
  }
  try {
    for await (const result of sink.submit(ledger, commands())) {
      const entry = planned[answered]
      if (!entry) throw new SubmissionCut('there were more answers than commands')
      tally.add(entry, result)
      answered += 1
      onAnswer(answered, planned.length)
    }
    if (answered < planned.length) {
      interruption = signal?.aborted ? 'stopped on request' : 'not every command was answered'
    }
  } catch (error) {
    if (!(error instanceof SubmissionCut)) throw error
    interruption = error.message
  }
  return { ...tally.counts(), interruption }
}

/** What is reported where nothing was sent. */
export const nothingPosted = ({ transactions }: CommandPlan): Posted => ({
  ...createTally(transactions.length).counts(),
  interruption: undefined,
})

function createTally(plannedTransactions: number) {
  const accounts = { opened: 0, replayed: 0, alreadyThere: 0 }
  const transactions = { posted: 0, replayed: 0, refused: 0 }
  const byCode: Record<string, number> = {}
  const listed: Refusal[] = []
  let count = 0
  let lastRevision: bigint | undefined

  const refuse = ({ command, line }: PlannedCommand, code: string, detail?: string): void => {
    count += 1
    byCode[code] = (byCode[code] ?? 0) + 1
    if (command.type === 'PostTransaction') transactions.refused += 1
    if (listed.length < maxListed) {
      listed.push({ line, command: command.type, subject: subjectOf(command), code, detail })
    }
  }
  return {
    add(planned: PlannedCommand, result: CommandResult): void {
      if (result.accepted && result.revision !== undefined) {
        const revision = BigInt(result.revision)
        if (lastRevision === undefined || revision > lastRevision) lastRevision = revision
      }
      const { type } = planned.command
      if (!result.accepted) {
        if (type === 'PostTransaction' || !existsAlready.has(result.code)) {
          refuse(planned, result.code, result.detail)
        } else if (type === 'OpenAccount') accounts.alreadyThere += 1
      } else if (type === 'OpenAccount') accounts[result.replayed ? 'replayed' : 'opened'] += 1
      else if (type === 'PostTransaction')
        transactions[result.replayed ? 'replayed' : 'posted'] += 1
    },
    counts: (): Omit<Posted, 'interruption'> => {
      const { posted, replayed, refused } = transactions
      const unanswered = plannedTransactions - posted - replayed - refused
      return {
        accounts,
        transactions: { planned: plannedTransactions, ...transactions, unanswered },
        refusals: { count, byCode, listed },
        lastRevision: lastRevision?.toString(),
      }
    },
  }
}

function subjectOf(command: PlannedCommand['command']): string {
  switch (command.type) {
    case 'CreateLedger':
      return 'ledger'
    case 'OpenAccount':
      return command.account
    case 'PostTransaction':
      return command.id
  }
}
