import type { LedgerEvent } from '../../../events/ledger.ts'
import type { PostTransaction } from './commands.ts'
import { type LedgerRejection, refuse } from './rejections.ts'
import { type Account, balanceOf, type Ledger } from './state.ts'

/** Balances have at most 38 digits, on either side of zero. */
export const maxBalance = 10n ** 38n - 1n

/** What all postings of a transaction together change in one balance. */
interface Change {
  readonly id: string
  /** As it is before; `undefined` where it is not open. */
  readonly account: Account | undefined
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

  const changes = changesOf(postings, accounts)
  const newIds = new Set(changes.filter(({ account }) => !account).map(({ id }) => id))
  const [notOpen] = newIds
  if (notOpen !== undefined && settings.accountOpening === 'explicit') {
    return refuse('account-not-found', `${notOpen} is not open`)
  }

  for (const { id, account, asset, amount } of changes) {
    const balance = balanceOf(account, asset) + amount
    if (balance > maxBalance || balance < -maxBalance) {
      return refuse('balance-overflow', `${id} would have more than 38 digits of ${asset}`)
    }
  }

  for (const { id, account, asset, amount } of changes) {
    if (amount >= 0n) continue
    const overdraft = account?.overdrafts[asset] ?? 0n
    if (overdraft === 'unlimited') continue
    const balance = balanceOf(account, asset)
    if (balance + amount < -overdraft) {
      const available = balance + overdraft
      return refuse(
        'insufficient-funds',
        `${id} has ${available} of ${asset} available and would need ${-amount}`,
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
  const opened = [...newIds].map(
    (account): LedgerEvent => ({ type: 'AccountOpened', data: { account } }),
  )
  return [...opened, { type: 'TransactionPosted', data }]
}

/** One change for each account and asset, in the order in which the postings name them. */
function changesOf(
  postings: PostTransaction['postings'],
  accounts: Ledger['accounts'],
): readonly Change[] {
  const changes = new Map<string, Change>()
  const add = (id: string, asset: string, amount: bigint): void => {
    const key = `${id} ${asset}`
    const change = changes.get(key)
    if (change) change.amount += amount
    else changes.set(key, { id, account: accounts.get(id), asset, amount })
  }
  for (const { amount, asset, from, to } of postings) {
    const units = BigInt(amount)
    add(from, asset, -units)
    add(to, asset, units)
  }
  return [...changes.values()]
}
