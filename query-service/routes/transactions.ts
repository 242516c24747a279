import { setImmediate as otherWork } from 'node:timers/promises'
import { accountIdSchema, idSchema, ledgerIdSchema, referenceSchema } from '../../events/shapes.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { ledgerStream, transactionId } from '../../projections/ledger-ids.ts'
import {
  type Build,
  maxExamined,
  type Page,
  type PageKey,
  type Query,
  type StoredDocument,
} from '../../projections/read-model-store.ts'
import { type Transaction, transactions } from '../../projections/transactions.ts'
import { freshnessHeaders } from '../freshness.ts'
import { type ListIdentity, pageOf, pageQuery, readCursor } from '../pagination.ts'
import {
  directionOf,
  freshHeaders,
  freshQuery,
  metadataFilterSchema,
  orderSchema,
  tagsIn,
  timeBoundSchema,
} from '../parameters.ts'
import { queryProblem } from '../problems.ts'
import { documentAnswer, pageAnswer } from '../respond.ts'
import { transactionSchema } from '../schemas.ts'
import { requireLedger } from './accounts.ts'
import { freshProblems, ifNoneMatch, notModified, type ReadRoutes } from './read-routes.ts'

const listQuery = {
  ...pageQuery,
  ...freshQuery,
  order: orderSchema,
  account: accountIdSchema,
  reference: referenceSchema,
  from: { ...timeBoundSchema, description: 'Effective at or after this day or time, UTC.' },
  to: { ...timeBoundSchema, description: 'Effective before this day or time, UTC.' },
  'metadata.*': metadataFilterSchema,
} as const

export const transactionQueries = ({ views }: ReadRoutes): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/ledgers/:ledger/transactions',
    id: 'listTransactions',
    tag: 'transactions',
    summary: 'List transactions',
    description:
      'Newest first, in the order of recording; with `from` or `to` and no other filter, in the ' +
      'order of effective time.',
    params: { ledger: ledgerIdSchema },
    query: listQuery,
    headers: freshHeaders,
    answers: { 200: { description: 'A page of transactions', schema: pageOf(transactionSchema) } },
    problems: [...freshProblems, 'ledger-not-found', 'too-many-filters'],
    async handle({ params, query, request }) {
      const { limit, cursor, 'min-revision': minRevision, ...filters } = query
      const stream = ledgerStream(params.ledger)
      const selection = selectionOf(params.ledger, filters)
      const identity: ListIdentity = {
        ...{ list: `transactions/${stream}`, filters },
        key: selection.isByTime ? ['string', 'number', 'string'] : ['number', 'string'],
      }
      const after = readCursor(identity, cursor)
      const view = await views.ofStream(transactions, stream, { minRevision, request })
      requireLedger(view)
      const page = await findWithin(view.build, selection, { ...filters, limit, after })
      return pageAnswer(view, page, identity)
    },
  }),

  operation({
    method: 'GET',
    path: '/ledgers/:ledger/transactions/:id',
    id: 'getTransaction',
    tag: 'transactions',
    summary: 'One transaction',
    params: { ledger: ledgerIdSchema, id: idSchema },
    query: freshQuery,
    headers: { ...freshHeaders, ...ifNoneMatch },
    answers: {
      200: { description: 'The transaction', schema: transactionSchema },
      304: notModified,
    },
    problems: [...freshProblems, 'ledger-not-found', 'transaction-not-found'],
    handle({ params: { ledger, id }, query, request }) {
      const stream = ledgerStream(ledger)
      const key = { collection: 'transactions', id: transactionId(stream, id), stream }
      const minRevision = query['min-revision']
      return views.ofDocument(transactions, key, { minRevision, request }, (view, document) => {
        if (document) return documentAnswer(view, document, request)
        requireLedger(view)
        throw queryProblem('transaction-not-found', { headers: freshnessHeaders(view) })
      })
    },
  }),
]

interface Filters {
  readonly order: string
  readonly account?: string
  readonly reference?: string
  readonly from?: string
  readonly to?: string
  readonly metadata?: Readonly<Record<string, string>>
}

interface Selection extends Pick<Query, 'index' | 'equals' | 'where'> {
  /** `from` and `to` are bounds of the index, not conditions on what it finds. */
  readonly isByTime: boolean
}

/** The narrowest index that applies, and the other filters as conditions on what it finds. */
function selectionOf(
  ledger: string,
  { account, reference, metadata, ...rest }: Filters,
): Selection {
  const [tag, otherTag] = tagsIn(metadata)
  const isByTime = false
  const tagged = { ...(otherTag !== undefined && { tag: otherTag }) }
  if (reference !== undefined) {
    const where = { ...(account !== undefined && { account }), ...(tag !== undefined && { tag }) }
    if (otherTag !== undefined) throw queryProblem('too-many-filters')
    return { index: 'by-reference', equals: [ledger, reference], where, isByTime }
  }
  if (tag !== undefined) {
    const where = { ...tagged, ...(account !== undefined && { account }) }
    return { index: 'by-tag', equals: [ledger, tag], where, isByTime }
  }
  if (account !== undefined) return { index: 'by-account', equals: [ledger, account], isByTime }
  if (rest.from === undefined && rest.to === undefined) {
    return { index: 'by-revision', equals: [ledger], isByTime }
  }
  return { index: 'by-effective-time', equals: [ledger], isByTime: true }
}

interface Window {
  readonly order: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
  readonly after: PageKey | undefined
}

/** Finds by the index; a time window beside another index is checked on the documents found. */
async function findWithin(
  build: Build,
  { isByTime, ...selection }: Selection,
  { order, from, to, limit, after }: Window,
): Promise<Page> {
  const query = { ...selection, collection: 'transactions', direction: directionOf(order) }
  const bounds = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
  if (isByTime || (from === undefined && to === undefined)) {
    return build.find({ ...query, ...bounds, limit, ...(after && { after }) })
  }
  const documents: StoredDocument[] = []
  let next = after
  for (let examined = 0; examined < maxExamined; ) {
    const page: Page = await build.find({
      ...{ ...query, limit: windowPageSize },
      ...(next && { after: next }),
    })
    for (const document of page.documents) {
      if (isWithin(document, from, to)) documents.push(document)
      if (documents.length === limit) return { documents, next: keyOf(document) }
    }
    next = page.next
    examined += page.documents.length
    const isExhausted = page.documents.length < windowPageSize // of rows it may examine, or of all
    if (!next || isExhausted) break
    await otherWork()
  }
  return { documents, ...(next && { next }) }
}

/** Documents looked at in one go, where a time window is checked on them. */
const windowPageSize = 500

/** The page key of a document by the indexes that order by revision. */
const keyOf = ({ revision, id }: StoredDocument): PageKey => [Number(revision), id]

function isWithin({ body }: StoredDocument, from = '', to?: string): boolean {
  const { effectiveAt } = JSON.parse(body) as Transaction
  return effectiveAt >= from && (to === undefined || effectiveAt < to)
}
