import { isDeepStrictEqual } from 'node:util'
import { openSqliteEventReader } from '../../adapters/sqlite-event-store.ts'
import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import { projections } from '../../app/projections.ts'
import { nextBuildName } from '../../projections/build-names.ts'
import { fillBuilds } from '../../projections/fill-builds.ts'
import { byId, type Projection } from '../../projections/projection.ts'
import type { Build, PageKey, ReadModelStore } from '../../projections/read-model-store.ts'
import { compareBuilds } from '../../projections/verify.ts'
import { eventually } from '../eventually.ts'
import { type Documents, expectedDocuments, type Fields } from './expected-documents.ts'
import type { Logged } from './logged.ts'

/**
 * I5: waits until the live read models are level with the log, then compares every document with a
 * fold that shares no code with the projections. Each difference is a line.
 */
export async function checkReadModels(
  folder: string,
  log: readonly Logged[],
): Promise<readonly string[]> {
  const readModels = openSqliteReadModels({ folder, readOnly: true })
  try {
    const expected = expectedDocuments(log)
    const found: Documents = new Map()
    for (const projection of projections) {
      const build = await openLive(readModels, projection)
      await eventually(() => isLevel(build, log), `${build.name} is level with the log`)
      for (const { name } of projection.collections) {
        for await (const [id, body] of documentsOf(build, name)) found.set(`${name} ${id}`, body)
      }
    }
    return compare(expected, found)
  } finally {
    await readModels.close()
  }
}

/**
 * Builds every projection anew beside the log, as `evident verify` does, and compares document by
 * document with what is live. Each difference is a line. Nobody may have the folder open.
 */
export async function checkShadow(
  { eventStorePath, folder }: { readonly eventStorePath: string; readonly folder: string },
  shadowFolder: string,
): Promise<readonly string[]> {
  const store = openSqliteEventReader({ path: eventStorePath, changes: new SharedArrayBuffer(4) })
  const live = openSqliteReadModels({ folder, readOnly: true })
  const shadows = openSqliteReadModels({ folder: shadowFolder })
  const problems: string[] = []
  try {
    const logId = (await (await openLive(live, projections[0])).coverage())?.logId ?? ''
    const builds = projections.map((projection) => ({
      ...{ projection, build: nextBuildName(projection, []) },
    }))
    await fillBuilds(builds, { store, readModels: shadows, logId })
    for (const { projection, build } of builds) {
      const shadow = await shadows.openBuild(build, projection.collections)
      const shown = await openLive(live, projection)
      for await (const difference of compareBuilds(shown, shadow, projection.collections)) {
        problems.push(`I5 ${projection.name}: ${JSON.stringify(difference)}`)
      }
    }
  } finally {
    await shadows.close()
    await live.close()
    await store.close()
  }
  return problems
}

async function openLive(
  readModels: ReadModelStore,
  projection: Projection | undefined,
): Promise<Build> {
  const name = projection && (await readModels.liveBuild(projection.name))
  if (!projection || name === undefined) {
    throw new Error(`${projection?.name} has no live build`)
  }
  return readModels.openBuild(name, projection.collections)
}

async function isLevel(build: Build, log: readonly Logged[]): Promise<boolean> {
  const last = new Map(log.map(({ stream, revision }) => [stream, revision]))
  for (const [stream, revision] of last) {
    if (!stream.startsWith('ledger-')) continue
    if (((await build.progress(stream)) ?? -1n) < revision) return false
  }
  return true
}

async function* documentsOf(build: Build, collection: string): AsyncGenerator<[string, Fields]> {
  let after: PageKey | undefined
  do {
    const page = await build.find({
      ...{ collection, index: byId, equals: [], limit: 1_000 },
      ...(after && { after }),
    })
    for (const { id, body } of page.documents) yield [id, JSON.parse(body) as Fields]
    after = page.next
  } while (after)
}

function compare(expected: Documents, found: Documents): readonly string[] {
  const problems: string[] = []
  for (const [id, fields] of expected) {
    const document = found.get(id)
    const shown = Object.fromEntries(Object.keys(fields).map((field) => [field, document?.[field]]))
    if (isDeepStrictEqual(shown, fields)) continue
    problems.push(`I5 ${id}: ${JSON.stringify(shown)} where ${JSON.stringify(fields)} was due`)
  }
  for (const id of found.keys()) if (!expected.has(id)) problems.push(`I5 ${id} is of no event`)
  return problems
}
