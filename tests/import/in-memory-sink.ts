import type {
  CommandResult,
  CommandSink,
  LedgerCommandLine,
  OpenedSink,
} from '../../app/import/command-sink.ts'

export interface InMemoryLedger extends CommandSink {
  readonly open: () => Promise<OpenedSink>
  readonly balanceOf: (account: string, asset: string) => bigint
  /** Transactions in the order they were posted. */
  readonly posted: readonly LedgerCommandLine[]
  readonly overdraftOf: (account: string, asset: string) => string
}

/**
 * The ledger's contract as an import sees it: ids and keys are remembered with their content, the
 * accounts have to be open, and funds are checked on the balances after all postings. It answers
 * one command at a time, and stops after `answers` of them as a process does that is killed.
 */
export function createInMemoryLedger(): InMemoryLedger & { answers: number } {
  const known = new Map<string, { readonly content: string; readonly revision: string }>()
  const overdrafts = new Map<string, Readonly<Record<string, string>>>()
  const balances = new Map<string, bigint>()
  const posted: LedgerCommandLine[] = []
  let revision = 0n

  const balanceOf = (account: string, asset: string): bigint =>
    balances.get(`${account} ${asset}`) ?? 0n
  const overdraftOf = (account: string, asset: string): string =>
    overdrafts.get(account)?.[asset] ?? 'none'

  const decide = (command: LedgerCommandLine): string | undefined => {
    if (command.type === 'CreateLedger') return undefined
    if (command.type === 'OpenAccount') {
      if (overdrafts.has(command.account)) return 'account-exists'
      overdrafts.set(command.account, command.overdrafts ?? {})
      return undefined
    }
    const after = new Map<string, bigint>()
    for (const { amount, asset, from, to } of command.postings) {
      for (const [account, sign] of [[from, -1n] as const, [to, 1n] as const]) {
        if (!overdrafts.has(account)) return 'account-not-found'
        const key = `${account} ${asset}`
        after.set(key, (after.get(key) ?? balances.get(key) ?? 0n) + sign * BigInt(amount))
      }
    }
    for (const [key, balance] of after) {
      const [account = '', asset = ''] = key.split(' ')
      const overdraft = overdraftOf(account, asset)
      const limit =
        overdraft === 'none' ? 0n : overdraft === 'unlimited' ? undefined : -BigInt(overdraft)
      const falls = balance < (balances.get(key) ?? 0n)
      if (falls && limit !== undefined && balance < limit) return 'insufficient-funds'
    }
    for (const [key, balance] of after) balances.set(key, balance)
    posted.push(command)
    return undefined
  }

  const answer = (command: LedgerCommandLine): CommandResult => {
    const name = command.type === 'PostTransaction' ? `id ${command.id}` : `key ${command.key}`
    const content = JSON.stringify(command)
    const before = known.get(name)
    if (before) {
      if (before.content === content) {
        return { accepted: true, revision: before.revision, replayed: true }
      }
      const code =
        command.type === 'PostTransaction' ? 'transaction-exists' : 'idempotency-key-reused'
      return { accepted: false, code }
    }
    const code = decide(command)
    if (code !== undefined) return { accepted: false, code }
    revision += 1n
    known.set(name, { content, revision: revision.toString() })
    return { accepted: true, revision: revision.toString(), replayed: false }
  }

  const ledger = {
    answers: Number.POSITIVE_INFINITY,
    posted,
    balanceOf,
    overdraftOf,
    open: async () => ({ sink: ledger, close: async () => {} }),
    async *submit(_: string, commands: AsyncIterable<LedgerCommandLine>) {
      for await (const command of commands) {
        if (ledger.answers <= 0) return
        ledger.answers -= 1
        yield answer(command)
      }
    },
  }
  return ledger
}
