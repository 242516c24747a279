import type { MappingProblem } from './mapping.ts'
import type { RowProblem } from './row-problem.ts'

/** How an import ended. Only `done` and `checked` mean that all of the file is right. */
export type ImportOutcome =
  /** Every row is in the ledger. */
  | 'done'
  /** A dry run that found nothing wrong. */
  | 'checked'
  /** Something of the file is wrong; nothing was sent, unless that was asked for. */
  | 'problems'
  /** The ledger refused commands. */
  | 'refused'
  /** Stopped, or cut off; running it again goes on. */
  | 'interrupted'

/** At most so many problems, and so many refusals, are listed one by one; all are counted. */
export const maxListed = 10_000

export interface RoundingSum {
  readonly asset: string
  /** The kind of movement that was rounded, by its account on the other side. */
  readonly counterAccount: string
  readonly rows: number
  /** What the roundings added to the accounts, in smallest units. */
  readonly sum: string
}

export interface Refusal {
  readonly line: number | undefined
  readonly command: string
  /** The transaction's id, the account or the ledger. */
  readonly subject: string
  readonly code: string
  readonly detail: string | undefined
}

/** What an import did: the content of `--json`. Amounts are smallest units, as digits. */
export interface ImportReport {
  readonly outcome: ImportOutcome
  readonly ledger: string
  readonly file: string
  readonly dryRun: boolean
  readonly rows: {
    readonly read: number
    readonly skippedByRule: number
    readonly withoutAmount: number
  }
  readonly firstDate: string | undefined
  readonly lastDate: string | undefined
  readonly balances: {
    readonly checked: number
    readonly differing: number
    readonly reordered: number
  }
  readonly rounding: {
    readonly account: string | undefined
    readonly rows: number
    readonly parts: readonly RoundingSum[]
  }
  readonly accounts: {
    readonly opened: number
    readonly replayed: number
    /** They were there before with other content, which was left as it is. */
    readonly alreadyThere: number
  }
  readonly transactions: {
    readonly planned: number
    readonly posted: number
    readonly replayed: number
    readonly refused: number
    readonly unanswered: number
  }
  readonly problems: { readonly count: number; readonly listed: readonly RowProblem[] }
  readonly refusals: {
    readonly count: number
    readonly byCode: Readonly<Record<string, number>>
    readonly listed: readonly Refusal[]
  }
  /** Of the ledger after the import: a read with `min-revision` shows all of it. */
  readonly lastRevision: string | undefined
  /** Why it was cut off, where it was. */
  readonly interruption: string | undefined
  readonly seconds: { readonly checking: number; readonly posting: number }
}

/** The report of an import whose mapping cannot be used. */
export interface MappingReport {
  readonly outcome: 'mapping-not-valid'
  readonly problems: readonly MappingProblem[]
}
