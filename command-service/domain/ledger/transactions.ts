import type { LedgerEvent } from '../../../events/ledger.ts'
import type { PostTransaction } from './commands.ts'
import { type LedgerRejection, refuse } from './rejections.ts'
import { balanceOf, type Ledger } from './state.ts'

/** Balances have at most 38 digits, on either side of zero. */
export const maxBalance = 10n ** 38n - 1n

/** What all postings of a transaction together change in one balance. */
interface Change {
  readonly account: string
  readonly asset: string
  amount: bigint
}

/**
 * Order of the checks: the ledger, postings from an account to itself, accounts that are not open,
 * balances beyond 38 digits, funds. Funds are judged on the balances after all postings.
 */
export function postTransaction(
  command: PostTransaction,
  { settings, accounts }: Ledger,
  now: string,
): readonly LedgerEvent[] | LedgerRejection {
  if (!settings) return refuse('ledger-not-found', 'the ledger was never created')
  const { id, postings, effectiveAt = now, metadata, reference } = command

  for (const { from, to } of postings) {
    if (from === to) return refuse('same-account', `a posting goes from ${from} to itself`)
  }

  const changes = changesOf(postings)
  const opened: LedgerEvent[] = []
  const seen = new Set<string>()
  for (const { account } of changes) {
    if (seen.has(account) || accounts.get(account)) continue
    if (settings.accountOpening === 'explicit') {
      return refuse('account-not-found', `${account} is not open`)
    }
    seen.add(account)
    opened.push({ type: 'AccountOpened', data: { account } })
  }

  for (const { account, asset, amount } of changes) {
    const balance = balanceOf(accounts.get(account), asset) + amount
    if (balance > maxBalance || balance < -maxBalance) {
      return refuse('balance-overflow', `${account} would have more than 38 digits of ${asset}`)
    }
  }

  for (const { account: accountId, asset, amount } of changes) {
    if (amount >= 0n) continue
    const account = accounts.get(accountId)
    const overdraft = account?.overdrafts[asset] ?? 0n
    if (overdraft === 'unlimited') continue
    const balance = balanceOf(account, asset)
    if (balance + amount < -overdraft) {
      const available = balance + overdraft
      return refuse(
        'insufficient-funds',
        `${accountId} has ${available} of ${asset} available and would need ${-amount}`,
      )
    }
  }

  const data = {
    effectiveAt,
    id,
    ...(metadata && { metadata }),
    postings,
    ...(reference !== undefined && { reference }),
  }
  return [...opened, { type: 'TransactionPosted', data }]
}

/** One change for each account and asset, in the order in which the postings name them. */
function changesOf(postings: PostTransaction['postings']): readonly Change[] {
  const changes = new Map<string, Change>()
  const add = (account: string, asset: string, amount: bigint): void => {
    const key = `${account} ${asset}`
    const change = changes.get(key)
    if (change) change.amount += amount
    else changes.set(key, { account, asset, amount })
  }
  for (const { amount, asset, from, to } of postings) {
    const units = BigInt(amount)
    add(from, asset, -units)
    add(to, asset, units)
  }
  return [...changes.values()]
}
