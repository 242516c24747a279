import { randomUUID } from 'node:crypto'
import { coreProblems } from '../command-service/problems.ts'
import { shapeProblems } from '../events/shape-problems.ts'
import { systemClock, timestamp } from '../platform/clock.ts'
import { createHttpApp } from '../platform/http/app.ts'
import { docsOperations } from '../platform/http/docs.ts'
import { edgeProblems } from '../platform/http/edge-problems.ts'
import { loopbackHosts } from '../platform/http/guard.ts'
import { defaultHttpLimits } from '../platform/http/limits.ts'
import { openApiOperation } from '../platform/http/openapi.ts'
import type { Operation } from '../platform/http/operation.ts'
import { mergeProblems } from '../platform/http/problem.ts'
import { type HttpServer, listen } from '../platform/http/server.ts'
import { type ReadinessCheck, serviceOperations } from '../platform/http/service-operations.ts'
import type { Log } from '../platform/log.ts'
import { createMetrics } from '../platform/metrics.ts'
import { queryProblems } from '../query-service/problems.ts'
import { queryOperations } from '../query-service/query-operations.ts'
import { adminOperations, adminProblems } from './admin-operations.ts'
import type { Config } from './config.ts'
import { importDomains } from './domain-entry.ts'
import { domainsModule as ledgerOnly } from './domains.ts'
import { openReadSide, type ReadSide } from './read-side.ts'
import { skipParked } from './skip-parked.ts'
import { openVerifier } from './verify/verifier.ts'
import { openWriteSide, type WriteSide } from './write-side.ts'

/** A running Evident: both services on one port, and what serves them. */
export interface Evident extends Pick<HttpServer, 'url' | 'port'> {
  readonly writeSide: WriteSide
  readonly readSide: ReadSide
  /** Answers what is under way, refuses what is new, then closes everything. */
  close(): Promise<void>
}

const api = {
  title: 'Evident',
  version: '0.1.0',
  description: 'A ledger whose every figure can be traced to an immutable log.',
} as const

export interface EvidentOptions {
  /** URL of the module that lists the domains, instead of `domains.ts`. */
  readonly domainsModule?: string
}

/**
 * Opens the data folder and serves it: commands, queries, projections, all in this process.
 * @throws {FolderInUse} @throws {DamagedLog} and the listen error
 */
export async function openEvident(
  config: Config,
  log: Log,
  { domainsModule = ledgerOnly }: EvidentOptions = {},
): Promise<Evident> {
  await using opening = new AsyncDisposableStack() // closes what is open when a later part fails
  const metrics = createMetrics({ ofProcess: true })
  const entries = await importDomains(domainsModule)
  const domains = await Promise.all(entries.map((entry) => entry.service()))
  const writeSide = await openWriteSide(config, { domains, log, metrics })
  opening.defer(writeSide.close)
  const readSide = await openReadSide(config, { ...writeSide, domainsModule })
  opening.defer(readSide.close)
  const { store, logId } = writeSide
  const verifier = await openVerifier(config, {
    ...{ eventChanges: store.changes, logId, domainsModule, newId: randomUUID, log },
  })
  opening.defer(verifier.close)
  const problems = mergeProblems(
    ...[shapeProblems, coreProblems, queryProblems, adminProblems],
    ...domains.map((domain) => domain.problems),
  )
  const definitions = mergeProblems(edgeProblems, problems)
  const deadline = () => systemClock() + config.commandTimeoutMs
  const own: readonly Operation[] = [
    ...[...writeSide.handlers].flatMap(([domain, { handle, room }]) =>
      domain.commandOperations({ handle, room, deadline, newId: randomUUID }),
    ),
    ...queryOperations({
      readModels: readSide.readModels,
      store,
      status: readSide.status,
      domains: domains.map(({ queryOperations }) => queryOperations),
    }),
    ...adminOperations({
      of: readSide.projections,
      projections: entries.flatMap(({ projections }) => projections),
      skip: (decision) =>
        skipParked(decision, { store, readSide, newId: randomUUID, now: timestamp(systemClock()) }),
      verifier,
    }),
    ...serviceOperations({
      checks: readinessChecks(writeSide, readSide),
      metrics,
      moreMetrics: readSide.projections.metrics,
      definitions,
    }),
  ]
  const limits = { ...defaultHttpLimits, closeDeadlineMs: config.stopTimeoutMs }
  const app = createHttpApp({
    operations: [...own, openApiOperation(api, own, definitions), ...docsOperations(api.title)],
    problems,
    allowedHosts: [...loopbackHosts, config.host, ...config.allowedHosts],
    limits,
    log,
    metrics,
  })
  const server = await listen({ app, host: config.host, port: config.port, limits, log })
  opening.defer(server.close)
  const open = opening.move()
  const { url, port } = server
  return { url, port, writeSide, readSide, close: () => open.disposeAsync() }
}

/** How far the read models may be behind the log for requests to be well served. */
const maxLagSeconds = 10

function readinessChecks({ store }: WriteSide, { status }: ReadSide): readonly ReadinessCheck[] {
  return [
    {
      name: 'event-store',
      check: async () => void (await store.lastRevision('log-identity')),
    },
    {
      name: 'read-models',
      async check() {
        for (const { projection, halted, lagSeconds = 0 } of await status()) {
          if (halted !== undefined) throw new Error(`${projection} has stopped: ${halted}`)
          if (lagSeconds > maxLagSeconds) throw new Error(`${projection} is ${lagSeconds} s behind`)
        }
      },
    },
  ]
}
