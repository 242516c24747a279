import { accountIdSchema, ledgerIdSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { compile } from '../../platform/json-schema.ts'
import { ledgerCommands } from '../domain/ledger/commands.ts'
import { answers, commandCodes, commandHeaders, dryRunQuery } from '../submit-command.ts'
import { type LedgerRoutes, submit } from './ledger-routes.ts'

const { OpenAccount, SetOverdraft } = ledgerCommands

/** The account is in the path; the rest of the command is the body. */
const isOpenAccount = compile({
  type: 'object',
  properties: {
    metadata: OpenAccount.properties.metadata,
    overdrafts: OpenAccount.properties.overdrafts,
  },
  additionalProperties: false,
  examples: [{ overdrafts: { 'CZK/2': 'unlimited' } }],
})

const isAccountChange = compile({
  type: 'object',
  properties: { overdrafts: SetOverdraft.properties.overdrafts },
  required: ['overdrafts'],
  additionalProperties: false,
  examples: [{ overdrafts: { 'CZK/2': 'unlimited' } }],
})

const common = {
  path: '/ledgers/:ledger/accounts/:account',
  tag: 'accounts',
  params: { ledger: ledgerIdSchema, account: accountIdSchema },
  query: dryRunQuery,
  headers: commandHeaders,
  answers,
} as const

export const accountOperations = (routes: LedgerRoutes): readonly Operation[] => [
  operation({
    ...common,
    method: 'PUT',
    id: 'openAccount',
    summary: 'Open an account',
    body: isOpenAccount,
    problems: ['ledger-not-found', 'account-exists', ...commandCodes],
    handle: (call) =>
      submit(routes, call, { type: 'OpenAccount', account: call.params.account, ...call.body }),
  }),
  operation({
    ...common,
    method: 'PATCH',
    id: 'changeAccount',
    summary: 'Change an account: its overdrafts',
    body: isAccountChange,
    problems: ['ledger-not-found', 'account-not-found', ...commandCodes],
    handle: (call) =>
      submit(routes, call, { type: 'SetOverdraft', account: call.params.account, ...call.body }),
  }),
]
