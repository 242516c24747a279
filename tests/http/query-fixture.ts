import { shapeProblems } from '../../events/shape-problems.ts'
import { mergeProblems } from '../../platform/http/problem.ts'
import { accounts } from '../../projections/accounts.ts'
import { buildName } from '../../projections/build-names.ts'
import { catchUp } from '../../projections/catch-up.ts'
import { ledgers } from '../../projections/ledgers.ts'
import type { Projection } from '../../projections/projection.ts'
import { createProjector, type Projector } from '../../projections/projector.ts'
import { transactions } from '../../projections/transactions.ts'
import { queryProblems } from '../../query-service/problems.ts'
import { queryOperations } from '../../query-service/query-operations.ts'
import { openBank } from '../projections/bank.ts'
import { startEdge } from './edge-fixture.ts'

export const all: readonly Projection[] = [ledgers, accounts, transactions]

/** A query service over a bank's log, whose read models move only when a test says so. */
export async function openQueryService(folder: string) {
  const bank = await openBank(folder)
  const { store, readModels, logId } = bank
  let projectors: Projector[] = []

  /** Builds of one generation, live from now on. */
  async function goLive(generation = 1): Promise<void> {
    projectors = []
    for (const projection of all) {
      const build = await readModels.openBuild(
        buildName(projection, generation),
        projection.collections,
      )
      projectors.push(await createProjector({ projection, build, store, logId }))
      await readModels.setLiveBuild(projection.name, build.name)
    }
  }

  /** Brings all read models level with the log. */
  const project = async (): Promise<void> => {
    await catchUp(projectors, { store, logId })
  }

  const status = () =>
    projectors.map((projector) => {
      const { coverage, lagSeconds, halted, isIncomplete, build } = projector.state()
      const position = coverage?.position
      return { projection: 'x-v1', build, position, lagSeconds, parked: [], halted, isIncomplete }
    })
  const edge = await startEdge({
    operations: queryOperations({ readModels, store, status }),
    problems: mergeProblems(shapeProblems, queryProblems),
  })

  return {
    bank,
    goLive,
    project,
    url: edge.url,
    get: (path: string, headers: Record<string, string> = {}) =>
      fetch(edge.url + path, { headers }),
    async close() {
      await edge.close()
      await bank.close()
    },
  }
}

export type QueryService = Awaited<ReturnType<typeof openQueryService>>
