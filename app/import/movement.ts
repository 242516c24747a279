/** A row of the file as the ledger will see it. */
export interface Movement {
  readonly line: number
  readonly id: string
  /** The account whose file this is, and the one on the other side. */
  readonly account: string
  readonly counterAccount: string
  readonly asset: string
  /** Into the account, in smallest units; negative: out of it. */
  readonly amount: bigint
  /** The account's balance after the row, where the file gives it. */
  readonly balance: bigint | undefined
  readonly day: string
  readonly effectiveAt: string
  readonly reference: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}
