import { randomUUID } from 'node:crypto'
import { OutcomeUnknown, Overloaded, StreamUnavailable } from '../../command-service/command.ts'
import type { LedgerCommand } from '../../command-service/domain/ledger/commands.ts'
import type { HandleCommand } from '../../command-service/handle-command.ts'
import { LineRefused, readCommandLine } from '../../command-service/read-command-line.ts'
import type { DomainEvent } from '../../events/codec.ts'
import { EventStoreUnavailable } from '../../events/event-store.ts'
import { anonymous } from '../../platform/caller.ts'
import type { Clock } from '../../platform/clock.ts'
import {
  type CommandResult,
  type CommandSink,
  type LedgerCommandLine,
  SubmissionCut,
} from './command-sink.ts'

/** Commands that wait for their outcome at once: enough to fill one append after another. */
export const maxUnderWay = 4_096

export interface FolderSinkOptions {
  readonly ledgers: { readonly handle: HandleCommand<LedgerCommand, DomainEvent, string> }
  readonly clock: Clock
  readonly commandTimeoutMs: number
}

/** Decides commands in this process, each read and named just as a line of the bulk route is. */
export function createFolderCommandSink(options: FolderSinkOptions): CommandSink {
  const { ledgers, clock, commandTimeoutMs } = options

  async function decide(ledger: string, line: LedgerCommandLine): Promise<CommandResult> {
    const naming = { keyPrefix: undefined, newTransactionId: randomUUID }
    try {
      const { command, content, key } = readCommandLine(JSON.stringify(line), 0, naming)
      const outcome = await ledgers.handle(ledger, {
        ...{ command, content, caller: anonymous, deadline: clock() + commandTimeoutMs },
        ...(key !== undefined && { idempotencyKey: key }),
      })
      if (outcome.status === 'refused') return { accepted: false, ...outcome.rejection }
      const { revision, replayed } = outcome
      return {
        accepted: true,
        replayed,
        ...(revision !== undefined && { revision: `${revision}` }),
      }
    } catch (error) {
      if (error instanceof LineRefused) {
        return { accepted: false, code: error.code, detail: error.message }
      }
      throw isPassing(error) ? new SubmissionCut(error.message, { cause: error }) : error
    }
  }

  return {
    async *submit(ledger, commands) {
      const underWay: Promise<CommandResult>[] = []
      for await (const command of commands) {
        const deciding = decide(ledger, command)
        deciding.catch(() => undefined) // it is awaited in its turn
        underWay.push(deciding)
        const first = underWay.length < maxUnderWay ? undefined : underWay.shift()
        if (first) yield await first
      }
      for (const deciding of underWay) yield await deciding
    },
  }
}

/** Whether the same command, sent again later, may well be decided. */
const isPassing = (error: unknown): error is Error =>
  error instanceof Overloaded ||
  error instanceof OutcomeUnknown ||
  error instanceof StreamUnavailable ||
  error instanceof EventStoreUnavailable
