import { accounts } from '../projections/accounts.ts'
import { ledgers } from '../projections/ledgers.ts'
import type { Projection } from '../projections/projection.ts'
import { transactions } from '../projections/transactions.ts'

/** Every projection that runs. */
export const projections: readonly Projection[] = [ledgers, accounts, transactions]
