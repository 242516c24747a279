import type { Operation } from '../platform/http/operation.ts'
import { failureProblems, lineProblems, rejectionProblems } from './problems.ts'
import { accountOperations } from './routes/accounts.ts'
import { bulkOperations } from './routes/bulk.ts'
import { ledgerOperations } from './routes/ledgers.ts'
import type { LedgerRoutes } from './routes/respond.ts'
import { transactionOperations } from './routes/transactions.ts'

/** All routes of the command service. */
export const commandOperations = (routes: LedgerRoutes): readonly Operation[] =>
  [ledgerOperations, accountOperations, transactionOperations, bulkOperations].flatMap((of) =>
    of(routes),
  )

/** The codes that they answer beside those of the HTTP edge and of the shapes. */
export const commandProblems = { ...rejectionProblems, ...failureProblems, ...lineProblems }
