import { ledgerIdSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { compile } from '../../platform/json-schema.ts'
import { ledgerCommands } from '../domain/ledger/commands.ts'
import { answers, commandCodes, commandHeaders, dryRunQuery } from '../submit-command.ts'
import { type LedgerRoutes, submit } from './ledger-routes.ts'

const isCreateLedger = compile({
  ...ledgerCommands.CreateLedger,
  examples: [{ accountOpening: 'on-first-use' }],
})

export const ledgerOperations = (routes: LedgerRoutes): readonly Operation[] => [
  operation({
    method: 'PUT',
    path: '/ledgers/:ledger',
    id: 'createLedger',
    tag: 'ledgers',
    summary: 'Create a ledger',
    params: { ledger: ledgerIdSchema },
    query: dryRunQuery,
    headers: commandHeaders,
    body: isCreateLedger,
    answers,
    problems: ['ledger-exists', ...commandCodes],
    handle: (call) => submit(routes, call, { type: 'CreateLedger', ...call.body }),
  }),
]
