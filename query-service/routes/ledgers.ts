import { ledgerIdSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { ledgerStream } from '../../projections/ledger-ids.ts'
import { ledgers } from '../../projections/ledgers.ts'
import { byId } from '../../projections/projection.ts'
import { freshnessHeaders } from '../freshness.ts'
import { pageOf, pageQuery, readCursor } from '../pagination.ts'
import { freshHeaders, freshQuery } from '../parameters.ts'
import { queryProblem } from '../problems.ts'
import { documentAnswer, pageAnswer } from '../respond.ts'
import { ledgerSchema } from '../schemas.ts'
import {
  freshProblems,
  ifNoneMatch,
  notModified,
  type ReadRoutes,
  viewProblems,
} from './read-routes.ts'

const identity = { list: 'ledgers', filters: {}, key: ['string'] } as const

export const ledgerQueries = ({ views }: ReadRoutes): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/ledgers',
    id: 'listLedgers',
    tag: 'ledgers',
    summary: 'List ledgers',
    description: 'By id. Each is shown at its own revision.',
    query: pageQuery,
    answers: { 200: { description: 'A page of ledgers', schema: pageOf(ledgerSchema) } },
    problems: viewProblems,
    async handle({ query: { limit, cursor } }) {
      const after = readCursor(identity, cursor)
      const view = await views.now(ledgers)
      const page = await view.build.find({
        ...{ collection: 'ledgers', index: byId, equals: [], limit },
        ...(after && { after }),
      })
      return pageAnswer(view, page, identity)
    },
  }),

  operation({
    method: 'GET',
    path: '/ledgers/:ledger',
    id: 'getLedger',
    tag: 'ledgers',
    summary: 'One ledger',
    params: { ledger: ledgerIdSchema },
    query: freshQuery,
    headers: { ...freshHeaders, ...ifNoneMatch },
    answers: { 200: { description: 'The ledger', schema: ledgerSchema }, 304: notModified },
    problems: [...freshProblems, 'ledger-not-found'],
    handle({ params, query, request }) {
      const stream = ledgerStream(params.ledger)
      const key = { collection: 'ledgers', id: stream, stream }
      const minRevision = query['min-revision']
      return views.ofDocument(ledgers, key, { minRevision, request }, (view, document) => {
        if (!document) throw queryProblem('ledger-not-found', { headers: freshnessHeaders(view) })
        return documentAnswer(view, document, request)
      })
    },
  }),
]
