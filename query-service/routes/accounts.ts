import { accountIdSchema, assetSchema, ledgerIdSchema } from '../../events/shapes.ts'
import { type Answer, json, type Operation, operation } from '../../platform/http/operation.ts'
import { type Account, accounts } from '../../projections/accounts.ts'
import { accountId, ledgerStream } from '../../projections/ledger-ids.ts'
import { byId } from '../../projections/projection.ts'
import type { Query, StoredDocument } from '../../projections/read-model-store.ts'
import { balancesAt } from '../../projections/trial-balance.ts'
import { freshnessHeaders, type View } from '../freshness.ts'
import { type ListIdentity, pageOf, pageQuery, readCursor } from '../pagination.ts'
import {
  freshHeaders,
  freshQuery,
  metadataFilterSchema,
  prefixSchema,
  revisionSchema,
  tagsIn,
} from '../parameters.ts'
import { queryProblem } from '../problems.ts'
import { documentAnswer, pageAnswer } from '../respond.ts'
import { accountAtSchema, accountSchema } from '../schemas.ts'
import { freshProblems, ifNoneMatch, notModified, type ReadRoutes } from './read-routes.ts'

const listQuery = {
  ...pageQuery,
  ...freshQuery,
  prefix: prefixSchema,
  asset: assetSchema,
  status: { type: 'string', enum: ['open'] },
  'metadata.*': metadataFilterSchema,
} as const

const accountParams = { ledger: ledgerIdSchema, account: accountIdSchema } as const

export const accountQueries = ({ views }: ReadRoutes): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/ledgers/:ledger/accounts',
    id: 'listAccounts',
    tag: 'accounts',
    summary: 'List accounts',
    description: 'By address. Each is shown at its own revision.',
    params: { ledger: ledgerIdSchema },
    query: listQuery,
    headers: freshHeaders,
    answers: { 200: { description: 'A page of accounts', schema: pageOf(accountSchema) } },
    problems: [...freshProblems, 'ledger-not-found', 'too-many-filters'],
    async handle({ params, query, request }) {
      const { limit, cursor, 'min-revision': minRevision, ...filters } = query
      const stream = ledgerStream(params.ledger)
      const identity: ListIdentity = { list: `accounts/${stream}`, filters, key: ['string'] }
      const after = readCursor(identity, cursor)
      const selection = selectionOf(params.ledger, filters)
      const view = await views.ofStream(accounts, stream, { minRevision, request })
      requireLedger(view)
      const page = await view.build.find({
        ...{ ...selection, collection: 'accounts', limit },
        prefix: accountId(stream, filters.prefix ?? ''),
        ...(after && { after }),
      })
      return pageAnswer(view, page, identity)
    },
  }),

  operation({
    method: 'GET',
    path: '/ledgers/:ledger/accounts/:account',
    id: 'getAccount',
    tag: 'accounts',
    summary: 'One account and its balances',
    description: 'With `at` the balances right after that revision, from its entries.',
    params: accountParams,
    query: { ...freshQuery, at: revisionSchema },
    headers: { ...freshHeaders, ...ifNoneMatch },
    answers: {
      200: {
        description: 'The account, or with `at` its balances then',
        schema: { anyOf: [accountSchema, accountAtSchema] },
      },
      304: notModified,
    },
    problems: [...freshProblems, 'ledger-not-found', 'account-not-found', 'revision-ahead'],
    handle({ params: { ledger, account }, query, request }) {
      const stream = ledgerStream(ledger)
      const key = { collection: 'accounts', id: accountId(stream, account), stream }
      const { 'min-revision': minRevision, at } = query
      return views.ofDocument(accounts, key, { minRevision, request }, (view, document) => {
        if (!document) throw noAccount(view)
        if (at === undefined) return documentAnswer(view, document, request)
        return accountAt(view, document, BigInt(at))
      })
    },
  }),
]

interface Filters {
  readonly asset?: string
  readonly status?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** The narrowest index that applies, and the other filters as conditions on what it finds. */
function selectionOf(
  ledger: string,
  { asset, status, metadata }: Filters,
): Pick<Query, 'index' | 'equals' | 'where'> {
  const [tag, otherTag] = tagsIn(metadata)
  const given = { ...(asset && { asset }), ...(status && { status }) }
  if (tag !== undefined) {
    const where = otherTag === undefined ? given : { ...given, tag: otherTag }
    return { index: 'by-tag', equals: [ledger, tag], where }
  }
  if (asset !== undefined) {
    return { index: 'by-asset', equals: [ledger, asset], where: status ? { status } : {} }
  }
  if (status !== undefined) return { index: 'by-status', equals: [ledger, status] }
  return { index: byId, equals: [] }
}

/** @throws {Problem} where the view knows no event of the ledger */
export function requireLedger(view: View): void {
  if (view.revision !== undefined) return
  throw queryProblem('ledger-not-found', { headers: freshnessHeaders(view) })
}

export function noAccount(view: View) {
  requireLedger(view)
  return queryProblem('account-not-found', { headers: freshnessHeaders(view) })
}

async function accountAt(view: View, document: StoredDocument, at: bigint): Promise<Answer<200>> {
  const headers = freshnessHeaders(view)
  if (view.revision === undefined || view.revision < at) {
    throw queryProblem('revision-ahead', { headers })
  }
  const account = JSON.parse(document.body) as Account
  if (BigInt(account.openedRevision) > at) throw queryProblem('account-not-found', { headers })
  const balances = await balancesAt(view.build, account, at)
  const body = {
    ledger: account.ledger,
    account: account.account,
    revision: at.toString(),
    balances: Object.fromEntries(
      balances.map(([asset, balance]) => [asset, { balance: balance.toString() }]),
    ),
  }
  return json(200, body, headers)
}
