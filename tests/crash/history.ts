/** One try to have a command done, as its client saw it. Times are of the client's clock. */
export interface Attempt {
  readonly sentAt: number
  readonly endedAt: number
  readonly outcome: Seen
}

/** What a client knows after a try. `unknown` says nothing at all: no answer, or a 500 or 503. */
export type Seen =
  | { readonly status: 'accepted'; readonly revision: bigint; readonly replayed: boolean }
  | { readonly status: 'refused'; readonly code: string }
  | { readonly status: 'unknown'; readonly why: string }

/** A command that some client sent, once or again and again, always with the same name. */
export interface Sent {
  readonly ledger: string
  /** What names it: the transaction's own id, or an idempotency key. */
  readonly id: string | undefined
  readonly key: string | undefined
  readonly type: 'CreateLedger' | 'OpenAccount' | 'SetOverdraft' | 'PostTransaction'
  /** The account of the path, where the command is about one. */
  readonly account: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly attempts: Attempt[]
}

/** What a client read with a token: never older than the token, never older than the last time. */
export interface ReadTotals {
  readonly ledger: string
  readonly minRevision: bigint
  readonly revision: bigint
  readonly sums: Readonly<Record<string, string>>
}

/** All that clients did and saw on one folder, over all kills. */
export interface History {
  readonly sent: Sent[]
  readonly reads: ReadTotals[]
  /** What must never be seen, such as an answer of 500. */
  readonly alarms: string[]
}

export const acceptedOf = ({ attempts }: Sent) =>
  attempts.flatMap(({ outcome }) => (outcome.status === 'accepted' ? [outcome] : []))

/** Whether the last try left its client without knowing. */
export const isUnknown = ({ attempts }: Sent): boolean =>
  attempts.at(-1)?.outcome.status === 'unknown'
