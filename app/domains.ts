import { accounts } from '../projections/accounts.ts'
import { ledgers } from '../projections/ledgers.ts'
import { transactions } from '../projections/transactions.ts'
import type { DomainEntry } from './domain-entry.ts'

/** Every domain that runs. A further one is one more entry. */
export const domains: readonly DomainEntry[] = [
  {
    projections: [ledgers, accounts, transactions],
    service: async () => (await import('./ledger-service.ts')).ledgerService,
  },
]

/** Where a thread finds this list. */
export const domainsModule = import.meta.url
