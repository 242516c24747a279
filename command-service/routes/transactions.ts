import { shapeProblems } from '../../events/shape-problems.ts'
import { ledgerIdSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { Problem } from '../../platform/http/problem.ts'
import { compile } from '../../platform/json-schema.ts'
import type { LedgerCommand } from '../domain/ledger/commands.ts'
import { ledgerCommands } from '../domain/ledger/commands.ts'
import { type BodyOf, InvalidTime, postTransactionOf } from '../ledger-command.ts'
import { answers, commandCodes, commandHeaders, dryRunQuery } from '../submit-command.ts'
import { type LedgerRoutes, submit } from './ledger-routes.ts'

const isPostTransaction = compile({
  ...ledgerCommands.PostTransaction,
  examples: [
    {
      id: 'order-1001',
      postings: [{ from: 'bank', to: 'customers:ann', asset: 'CZK/2', amount: '1050' }],
      effectiveAt: '2026-01-31T09:30:00Z',
      reference: 'invoice 2026-17',
    },
  ],
})

export const transactionOperations = (routes: LedgerRoutes): readonly Operation[] => [
  operation({
    method: 'POST',
    path: '/ledgers/:ledger/transactions',
    id: 'postTransaction',
    tag: 'transactions',
    summary: 'Post a transaction',
    description: 'All postings, or none. With an `id` or an `Idempotency-Key` it is done once.',
    params: { ledger: ledgerIdSchema },
    query: dryRunQuery,
    headers: commandHeaders,
    body: isPostTransaction,
    answers,
    problems: [
      'ledger-not-found',
      'same-account',
      'account-not-found',
      'balance-overflow',
      'insufficient-funds',
      'transaction-exists',
      ...commandCodes,
    ],
    handle: (call) =>
      submit(routes, call, commandOf(call.body, routes.newId), {
        ...call.body, // the type last, where canonical order has it: the hash costs less
        type: 'PostTransaction',
      }),
  }),
]

function commandOf(body: BodyOf<'PostTransaction'>, newId: () => string): LedgerCommand {
  try {
    return postTransactionOf(body, newId)
  } catch (cause) {
    if (!(cause instanceof InvalidTime)) throw cause
    const { code, message: detail } = cause
    throw new Problem(code, shapeProblems[code], { detail, pointer: '/effectiveAt', cause })
  }
}
