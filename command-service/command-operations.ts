import type { Operation } from '../platform/http/operation.ts'
import { ledgerRejectionProblems, lineProblems } from './ledger-problems.ts'
import { coreProblems } from './problems.ts'
import { accountOperations } from './routes/accounts.ts'
import { bulkOperations } from './routes/bulk.ts'
import type { LedgerRoutes } from './routes/ledger-routes.ts'
import { ledgerOperations } from './routes/ledgers.ts'
import { transactionOperations } from './routes/transactions.ts'

/** All routes of the ledger's commands. */
export const commandOperations = (routes: LedgerRoutes): readonly Operation[] =>
  [ledgerOperations, accountOperations, transactionOperations, bulkOperations].flatMap((of) =>
    of(routes),
  )

/** The codes that they answer beside those of the HTTP edge and of the shapes. */
export const commandProblems = {
  ...ledgerRejectionProblems,
  ...coreProblems,
  ...lineProblems,
}
