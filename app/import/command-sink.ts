import type { AccountOpening, Overdrafts, Posting } from '../../events/ledger.ts'

/** A command as a line of the bulk route; a key or an id makes repeating it safe. */
export type LedgerCommandLine =
  | { readonly type: 'CreateLedger'; readonly key: string; readonly accountOpening: AccountOpening }
  | {
      readonly type: 'OpenAccount'
      readonly key: string
      readonly account: string
      readonly overdrafts?: Overdrafts
    }
  | {
      readonly type: 'PostTransaction'
      readonly id: string
      readonly postings: readonly Posting[]
      readonly effectiveAt: string
      readonly reference?: string
      readonly metadata?: Readonly<Record<string, string>>
    }

export type CommandResult =
  | {
      readonly accepted: true
      /** Of the command's last event. */
      readonly revision?: string
      readonly replayed: boolean
    }
  | { readonly accepted: false; readonly code: string; readonly detail?: string }

/** Takes the commands of one ledger: in process, or over HTTP. */
export interface CommandSink {
  /**
   * Submits commands in order and answers each, in order. Commands are taken as they can be sent,
   * so those in flight are bounded, and every answer is durable.
   * @throws {SubmissionCut} what was answered holds; the rest is repeated by submitting all again
   */
  submit(ledger: string, commands: AsyncIterable<LedgerCommandLine>): AsyncIterable<CommandResult>
}

/** A sink that holds something open, such as a data folder. */
export interface OpenedSink {
  readonly sink: CommandSink
  close(): Promise<void>
}

/**
 * Not every command has its answer: the other side went away, is overloaded or does not answer. What
 * was sent may still be done; submitting all again is safe.
 */
export class SubmissionCut extends Error {
  readonly code = 'SUBMISSION_CUT'
}
