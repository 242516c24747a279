import { accountIdSchema, ledgerIdSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { accounts } from '../../projections/accounts.ts'
import { accountId, ledgerStream } from '../../projections/ledger-ids.ts'
import { type ListIdentity, pageOf, pageQuery, readCursor } from '../pagination.ts'
import { directionOf, freshHeaders, freshQuery, orderSchema } from '../parameters.ts'
import { pageAnswer } from '../respond.ts'
import { entrySchema } from '../schemas.ts'
import { noAccount } from './accounts.ts'
import { freshProblems, type ReadRoutes } from './read-routes.ts'

export const entryQueries = ({ views }: ReadRoutes): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/ledgers/:ledger/accounts/:account/entries',
    id: 'listEntries',
    tag: 'accounts',
    summary: 'The statement of an account, with running balance',
    description: 'In the order of recording, newest first unless told.',
    params: { ledger: ledgerIdSchema, account: accountIdSchema },
    query: { ...pageQuery, ...freshQuery, order: orderSchema },
    headers: freshHeaders,
    answers: { 200: { description: 'A page of entries', schema: pageOf(entrySchema) } },
    problems: [...freshProblems, 'ledger-not-found', 'account-not-found'],
    async handle({ params: { ledger, account }, query, request }) {
      const { limit, cursor, order, 'min-revision': minRevision } = query
      const stream = ledgerStream(ledger)
      const list = `entries/${accountId(stream, account)}`
      const identity: ListIdentity = { list, filters: { order }, key: ['number', 'string'] }
      const after = readCursor(identity, cursor)
      const view = await views.ofStream(accounts, stream, { minRevision, request })
      const page = await view.build.find({
        ...{ collection: 'entries', index: 'by-account', equals: [ledger, account], limit },
        direction: directionOf(order),
        ...(after && { after }),
      })
      if (page.documents.length === 0) {
        const [document] = await view.build.get('accounts', [accountId(stream, account)])
        if (!document) throw noAccount(view)
      }
      return pageAnswer(view, page, identity)
    },
  }),
]
