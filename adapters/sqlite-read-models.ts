import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { parseBuildName } from '../projections/build-names.ts'
import { type ReadModelStore, ReadModelsUnavailable } from '../projections/read-model-store.ts'
import { changeCount, countChange, sharedChanges, waitForChange } from './shared-changes.ts'
import { openSqliteBuild, type SqliteBuild } from './sqlite-read-models-build.ts'
import { guarded, openReadModelFile } from './sqlite-read-models-file.ts'
import { readFurthest } from './sqlite-read-models-furthest.ts'

const catalogSchema =
  'CREATE TABLE live (projection TEXT PRIMARY KEY, build TEXT NOT NULL) STRICT, WITHOUT ROWID'

/** How often a reader in another process looks for changes: no memory is shared with the writer. */
const pollMs = 10

/** A build that is gone stays open this long, for the requests that are reading it. */
const graceMs = 10_000

export interface SqliteReadModels extends ReadModelStore {
  /** Counts the writes in memory that threads share: what readers elsewhere are woken by. */
  readonly changes: SharedArrayBuffer
}

export interface OpenSqliteReadModels {
  readonly folder: string
  readonly readOnly?: boolean
  /** The `changes` of the store that writes to this folder, in another thread. */
  readonly changes?: SharedArrayBuffer
}

/**
 * Read models in a folder: a file for each build, so that builds never wait for each other's write
 * lock and dropping one is deleting a file, and `catalog.db`, which names the live ones.
 * @throws {ReadModelsDamaged} @throws {ReadModelsUnavailable}
 */
export function openSqliteReadModels(options: OpenSqliteReadModels): SqliteReadModels {
  const { folder, readOnly = false } = options
  const changes = options.changes ?? sharedChanges()
  const counter = new Int32Array(changes)
  const isWoken = !readOnly || options.changes !== undefined
  const open = new Map<string, { readonly build: SqliteBuild; goneAtMs?: number }>()
  const pathOf = (name: string) => join(folder, `${name}.db`)
  if (!readOnly) mkdirSync(folder, { recursive: true })
  const catalog = openCatalog(pathOf('catalog'), readOnly)

  const changing = <T>(work: () => T): T => countChange(counter, work)

  /** Lets go of files that were dropped, here or by another thread: they take room until then. */
  function closeDropped(nowMs: number): void {
    for (const [name, entry] of open) {
      if (existsSync(pathOf(name))) continue
      entry.goneAtMs ??= nowMs
      if (nowMs - entry.goneAtMs < graceMs) continue
      entry.build.close()
      open.delete(name)
    }
  }

  return {
    changes,

    async openBuild(name, collections, { deferIndexes = false } = {}) {
      const known = open.get(name)
      if (known && known.goneAtMs === undefined) return known.build
      if (!parseBuildName(name)) throw new Error(`${name} is no name of a build`)
      closeDropped(Date.now())
      const path = pathOf(name)
      const build = openSqliteBuild({
        ...{ path, name, collections, readOnly, deferIndexes },
        changing,
      })
      open.set(name, { build })
      return build
    },

    liveBuild: async (projection) => catalog.live(projection),

    async setLiveBuild(projection, build) {
      changing(() => catalog.setLive(projection, build))
    },

    async builds(projection) {
      if (!existsSync(folder)) return []
      const files = readdirSync(folder).filter((file) => file.endsWith('.db'))
      const names = files.map((file) => file.slice(0, -'.db'.length))
      return names.filter((name) => parseBuildName(name)?.projection === projection).sort()
    },

    furthest: async (build) => readFurthest(pathOf(build)),

    async dropBuild(name) {
      changing(() => {
        open.get(name)?.build.close()
        open.delete(name)
        for (const suffix of ['', '-wal', '-shm']) rmSync(pathOf(name) + suffix, { force: true })
      })
    },

    async changed(timeoutMs) {
      const waitMs = isWoken ? timeoutMs : Math.min(timeoutMs, pollMs)
      await waitForChange(counter, Atomics.load(counter, 0), waitMs)
    },

    changeCount: () => (isWoken ? changeCount(counter) : undefined),

    async close() {
      for (const { build } of open.values()) build.close()
      open.clear()
      catalog.close()
    },
  }
}

/** A reader may be there before the writer made the file: it looks again at each question. */
function openCatalog(path: string, readOnly: boolean) {
  let db: DatabaseSync | undefined
  let find: ReturnType<DatabaseSync['prepare']> | undefined
  const openIt = () => {
    db = openReadModelFile(path, { schema: catalogSchema, readOnly })
    find = guarded(path, () => db?.prepare('SELECT build FROM live WHERE projection = ?'))
  }
  if (!readOnly) openIt()

  return {
    live(projection: string): string | undefined {
      if (!find && existsSync(path)) openIt()
      const build = guarded(path, () => find?.get(projection)?.build)
      return build === undefined ? undefined : String(build)
    },
    setLive(projection: string, build: string | undefined): void {
      if (!db || readOnly) throw new ReadModelsUnavailable(`${path} was opened for reading`)
      const sql =
        build === undefined
          ? 'DELETE FROM live WHERE projection = ?'
          : 'INSERT OR REPLACE INTO live VALUES (?, ?)'
      const values = build === undefined ? [projection] : [projection, build]
      guarded(path, () => db?.prepare(sql).run(...values))
    },
    close(): void {
      if (db?.isOpen) db.close()
    },
  }
}
