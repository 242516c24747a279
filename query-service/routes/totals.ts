import { ledgerIdSchema } from '../../events/shapes.ts'
import { json, type Operation, operation } from '../../platform/http/operation.ts'
import type { AccountMonth } from '../../projections/account-months.ts'
import { accounts } from '../../projections/accounts.ts'
import { allPages } from '../../projections/all-pages.ts'
import type { DaySums } from '../../projections/days.ts'
import { accountId, ledgerStream } from '../../projections/ledger-ids.ts'
import { plus } from '../../projections/money.ts'
import { byId } from '../../projections/projection.ts'
import type { Build } from '../../projections/read-model-store.ts'
import { type Totals, trialBalance } from '../../projections/trial-balance.ts'
import { freshnessHeaders } from '../freshness.ts'
import {
  freshHeaders,
  freshQuery,
  prefixSchema,
  revisionSchema,
  timeBoundSchema,
} from '../parameters.ts'
import { queryProblem } from '../problems.ts'
import { trialBalanceSchema, volumesSchema } from '../schemas.ts'
import { requireLedger } from './accounts.ts'
import { freshProblems, type ReadRoutes } from './read-routes.ts'

/** Months of accounts that one request sums, and how many are read at once. */
export const maxSummedMonths = 100_000
const pageSize = 1_000

export const totalQueries = ({ views }: ReadRoutes): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/ledgers/:ledger/trial-balance',
    id: 'getTrialBalance',
    tag: 'totals',
    summary: 'What all balances come to, at one revision',
    description: 'Without `at`, the revision the view shows. Of a whole ledger every sum is zero.',
    params: { ledger: ledgerIdSchema },
    query: {
      ...freshQuery,
      at: revisionSchema,
      prefix: prefixSchema,
      depth: {
        type: 'integer',
        minimum: 1,
        maximum: 16,
        description: 'Also totals by that many first segments of the addresses.',
      },
    },
    headers: freshHeaders,
    answers: { 200: { description: 'The trial balance', schema: trialBalanceSchema } },
    problems: [...freshProblems, 'ledger-not-found', 'revision-ahead'],
    async handle({ params: { ledger }, query, request }) {
      const minRevision = query['min-revision']
      const view = await views.ofStream(accounts, ledgerStream(ledger), { minRevision, request })
      requireLedger(view)
      const result = await trialBalance(view.build, ledger, {
        ...(query.at !== undefined && { atRevision: BigInt(query.at) }),
        ...(query.prefix !== undefined && { prefix: query.prefix }),
        ...(query.depth !== undefined && { depth: query.depth }),
      })
      if (!result) throw queryProblem('revision-ahead', { headers: freshnessHeaders(view) })
      const byPrefix = [...result.byPrefix].map(([name, totals]) => [name, written(totals)])
      const body = {
        ledger,
        revision: result.revision.toString(),
        total: written(result.total),
        ...(query.depth !== undefined && { byPrefix: Object.fromEntries(byPrefix) }),
      }
      return json(200, body, freshnessHeaders(view))
    },
  }),

  operation({
    method: 'GET',
    path: '/ledgers/:ledger/volumes',
    id: 'getVolumes',
    tag: 'totals',
    summary: 'What moved in and out, by day of effective time',
    params: { ledger: ledgerIdSchema },
    query: {
      ...freshQuery,
      bucket: { type: 'string', enum: ['day'], default: 'day' },
      prefix: prefixSchema,
      from: { ...timeBoundSchema, pattern: dayPattern(), description: 'The first day, UTC.' },
      to: { ...timeBoundSchema, pattern: dayPattern(), description: 'The day after the last.' },
    },
    headers: freshHeaders,
    answers: { 200: { description: 'Sums by day and asset', schema: volumesSchema } },
    problems: [...freshProblems, 'ledger-not-found', 'too-much-to-sum'],
    async handle({ params: { ledger }, query, request }) {
      const stream = ledgerStream(ledger)
      const minRevision = query['min-revision']
      const view = await views.ofStream(accounts, stream, { minRevision, request })
      requireLedger(view)
      const { from = '', to = '~' } = query
      const days = await sumDays(view.build, accountId(stream, query.prefix ?? ''), { from, to })
      return json(200, { ledger, days }, freshnessHeaders(view))
    },
  }),
]

function dayPattern() {
  return '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' as const
}

const written = (totals: Totals) =>
  Object.fromEntries(
    [...totals].map(([asset, { positive, negative, sum, accounts: count }]) => [
      asset,
      {
        positive: positive.toString(),
        negative: negative.toString(),
        sum: sum.toString(),
        accounts: count,
      },
    ]),
  )

type Volume = DaySums & { readonly asset: string }

/** Sums of all accounts whose ids begin with the prefix, by day and asset. Other work goes on. */
async function sumDays(
  build: Build,
  prefix: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<readonly Volume[]> {
  const sums = new Map<string, Volume>()
  let examined = 0
  const months = { collection: 'months', index: byId, equals: [], limit: pageSize }
  for await (const documents of allPages(build, { ...months, prefix })) {
    examined += documents.length
    if (examined > maxSummedMonths) throw queryProblem('too-much-to-sum')
    for (const { body } of documents) {
      const { asset, days } = JSON.parse(body) as AccountMonth
      for (const sum of days) if (sum.day >= from && sum.day < to) add(sums, asset, sum)
    }
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum)
}

function add(sums: Map<string, Volume>, asset: string, more: DaySums): void {
  const key = `${more.day} ${asset}`
  const { in: sumIn, out, count } = sums.get(key) ?? { in: '0', out: '0', count: 0 }
  sums.set(key, {
    day: more.day,
    asset,
    in: plus(sumIn, more.in),
    out: plus(out, more.out),
    count: count + more.count,
  })
}
