import { ledgerIdSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { endLineSchema, lineResultSchema, runBulk } from '../bulk.ts'
import { idempotencyKeySchema } from '../idempotency-key.ts'
import { lineSchemas } from '../ledger-command.ts'
import { failureProblems } from '../problems.ts'
import { requestMeta } from '../submit-command.ts'
import type { LedgerRoutes } from './ledger-routes.ts'

const lineExamples = [
  { type: 'OpenAccount', key: 'open-shop', account: 'shop' },
  {
    type: 'PostTransaction',
    id: 'order-1002',
    postings: [{ from: 'bank', to: 'customers:ann', asset: 'CZK/2', amount: '1050' }],
  },
] as const

const resultExamples = [
  { line: 1, status: 'accepted', revision: '4', replayed: false },
  { line: 2, status: 'accepted', revision: '5', replayed: false },
  { end: true, accepted: 2, refused: 0, failed: 0 },
] as const

/** Of lines that failed: the same keep a command of its own from being answered, with 503. */
const failureCodes = Object.entries(failureProblems)
  .filter(([, { status }]) => status === 503)
  .map(([code]) => `\`${code}\``)

export const bulkOperations = (routes: LedgerRoutes): readonly Operation[] => [
  operation({
    method: 'POST',
    path: '/ledgers/:ledger/commands',
    id: 'sendCommands',
    tag: 'ledgers',
    summary: 'Send many commands',
    description:
      'One command a line in, one result a line out, in order, while more are coming. Each result ' +
      'is durable when it is sent. A line has its own `id` (a transaction) or `key`; otherwise its ' +
      'key is the `Idempotency-Key` of the request with `/` and the number of the line. The last ' +
      'line is `{"end":true,…}`: without it the answer was cut, and all can be sent again. A line ' +
      `that failed has one of these codes, and can be sent again: ${failureCodes.join(', ')}.`,
    params: { ledger: ledgerIdSchema },
    query: {
      results: {
        type: 'string',
        enum: ['all', 'errors'],
        default: 'all',
        description: '`errors` leaves out the results of accepted lines.',
      },
    },
    headers: {
      'Idempotency-Key': {
        ...idempotencyKeySchema,
        description: 'Names the lines that have no id or key of their own.',
      },
    },
    body: {
      type: 'application/x-ndjson',
      lines: { oneOf: Object.values(lineSchemas), examples: lineExamples },
    },
    answers: {
      200: {
        description: 'A result for each line, then the end line.',
        type: 'application/x-ndjson',
        schema: { oneOf: [lineResultSchema, endLineSchema], examples: resultExamples },
      },
    },
    handle({ params: { ledger }, query, body, request }) {
      const { caller, idempotencyKey, trace } = requestMeta(request, 0)
      const stream = runBulk(body, {
        ledger,
        routes,
        caller,
        keyPrefix: idempotencyKey,
        trace: trace ?? {},
        onlyErrors: query.results === 'errors',
      })
      return { status: 200, stream }
    },
  }),
]
