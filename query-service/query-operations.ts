import { DamagedLog, EventStoreUnavailable } from '../events/event-store.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { Operation } from '../platform/http/operation.ts'
import {
  type ReadModelStore,
  ReadModelsDamaged,
  ReadModelsUnavailable,
} from '../projections/read-model-store.ts'
import { createViews } from './freshness.ts'
import { queryProblem, retryAfter } from './problems.ts'
import { accountQueries } from './routes/accounts.ts'
import { entryQueries } from './routes/entries.ts'
import { ledgerQueries } from './routes/ledgers.ts'
import { logQueries } from './routes/log.ts'
import type { ReadRoutes } from './routes/read-routes.ts'
import { statusQueries } from './routes/status.ts'
import { totalQueries } from './routes/totals.ts'
import { transactionQueries } from './routes/transactions.ts'

export interface QueryServiceOptions extends Omit<ReadRoutes, 'views'> {
  readonly readModels: Pick<ReadModelStore, 'liveBuild' | 'openBuild' | 'changed' | 'changeCount'>
  readonly now?: Clock
  /** The reads of each domain, those of the ledger unless told. */
  readonly domains?: readonly DomainQueries[]
}

/** The reads of one domain. */
export type DomainQueries = (routes: ReadRoutes) => readonly Operation[]

/** The ledger's; the most used stand first, where the router looks first. */
export const ledgerReads: DomainQueries = (routes) =>
  [accountQueries, entryQueries, transactionQueries, ledgerQueries, totalQueries].flatMap((of) =>
    of(routes),
  )

/** All routes of the query service: those of the domains, of the log and of the service itself. */
export function queryOperations(options: QueryServiceOptions): readonly Operation[] {
  const { readModels, now = systemClock, store, status, domains = [ledgerReads] } = options
  const routes: ReadRoutes = { views: createViews(readModels, now), store, status }
  return [...domains, logQueries, statusQueries].flatMap((of) => of(routes)).map(withFailures)
}

/** What an engine fails with is answered as what it is, so that clients know to come again. */
function withFailures(operation: Operation): Operation {
  return {
    ...operation,
    problems: [...(operation.problems ?? []), 'read-models-unavailable', 'log-unavailable'],
    handle(call) {
      try {
        const answer = operation.handle(call)
        return answer instanceof Promise ? answer.catch(asProblem) : answer
      } catch (failure) {
        return asProblem(failure)
      }
    },
  }
}

/** @throws always */
function asProblem(cause: unknown): never {
  if (cause instanceof ReadModelsUnavailable || cause instanceof ReadModelsDamaged) {
    throw queryProblem('read-models-unavailable', { cause, headers: retryAfter })
  }
  if (cause instanceof EventStoreUnavailable || cause instanceof DamagedLog) {
    throw queryProblem('log-unavailable', { cause, headers: retryAfter })
  }
  throw cause
}
