import type { AccountOpening, LedgerEvent, Posting } from '../../../events/ledger.ts'
import { LayeredMap } from '../layered-map.ts'

/** How far a balance may go below zero, in the asset's smallest unit. */
export type Overdraft = bigint | 'unlimited'

/** What deciding needs of an account. Replaced, never changed. */
export interface Account {
  /** By asset, in its smallest unit: in − out. An asset that never moved is not there. */
  readonly balances: Readonly<Record<string, bigint>>
  /** By asset. One that is not there has none. */
  readonly overdrafts: Readonly<Record<string, Overdraft>>
  readonly metadata: Metadata | undefined
}

export type Metadata = Readonly<Record<string, string>>

export interface LedgerSettings {
  readonly accountOpening: AccountOpening
  readonly metadata: Metadata | undefined
}

export interface Ledger {
  /** `undefined` until the ledger is created. */
  readonly settings: LedgerSettings | undefined
  readonly accounts: LayeredMap<string, Account>
}

export const emptyLedger = (): Ledger => ({ settings: undefined, accounts: new LayeredMap() })

const emptyAccount: Account = { balances: {}, overdrafts: {}, metadata: undefined }

/** Folds an event into the ledger; accounts change in place, in the top layer. */
export function evolveLedger(ledger: Ledger, event: LedgerEvent): Ledger {
  const { accounts } = ledger
  switch (event.type) {
    case 'LedgerCreated': {
      const { accountOpening, metadata } = event.data
      return { ...ledger, settings: { accountOpening, metadata } }
    }
    case 'AccountOpened': {
      const { account, metadata, overdrafts = {} } = event.data
      accounts.set(account, { balances: {}, overdrafts: parseOverdrafts(overdrafts), metadata })
      return ledger
    }
    case 'OverdraftSet': {
      const { account, asset, overdraft } = event.data
      const before = accounts.get(account) ?? emptyAccount
      const overdrafts = parseOverdrafts({ [asset]: overdraft }, before.overdrafts)
      accounts.set(account, { ...before, overdrafts })
      return ledger
    }
    case 'TransactionPosted':
      for (const posting of event.data.postings) applyPosting(accounts, posting)
      return ledger
  }
}

function applyPosting(accounts: Ledger['accounts'], posting: Posting): void {
  const amount = BigInt(posting.amount)
  add(accounts, posting.from, posting.asset, -amount)
  add(accounts, posting.to, posting.asset, amount)
}

function add(accounts: Ledger['accounts'], id: string, asset: string, amount: bigint): void {
  const account = accounts.get(id) ?? emptyAccount
  const { overdrafts, metadata } = account
  const balances = { ...account.balances, [asset]: balanceOf(account, asset) + amount }
  accounts.set(id, { balances, overdrafts, metadata })
}

export const balanceOf = (account: Account | undefined, asset: string): bigint =>
  account?.balances[asset] ?? 0n

/** Overdrafts as they are written, over those there were; `none` takes one away. */
export function parseOverdrafts(
  written: Readonly<Record<string, string>>,
  before: Account['overdrafts'] = {},
): Account['overdrafts'] {
  const overdrafts: Record<string, Overdraft> = { ...before }
  for (const [asset, overdraft] of Object.entries(written)) {
    if (overdraft === 'none') delete overdrafts[asset]
    else overdrafts[asset] = overdraft === 'unlimited' ? overdraft : BigInt(overdraft)
  }
  return overdrafts
}
