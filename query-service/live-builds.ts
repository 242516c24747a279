import type { Clock } from '../platform/clock.ts'
import { isBuildOf } from '../projections/build-names.ts'
import type { DocumentKey, Projection } from '../projections/projection.ts'
import type { Build, ReadModelStore, StoredDocument } from '../projections/read-model-store.ts'
import { createRecentlyUsed, type RecentlyUsed } from '../projections/recently-used.ts'
import { queryProblem, retryAfter } from './problems.ts'

/** A build that is live, and what was read of it since anything changed. */
export interface LiveBuild {
  readonly build: Build
  /** When it was level with the log. */
  readonly levelAtMs: number | undefined
  /** The store's count of changes when this was found: what is kept is of that state. */
  readonly changeCount: number | undefined
  /** When it was found. */
  readonly foundAtMs: number
  readonly progress: RecentlyUsed<bigint>
  /** By `documentKey`. */
  readonly documents: RecentlyUsed<StoredDocument>
}

export interface LiveBuilds {
  /** The live build as it is this moment, where that is known without reading. */
  unchanged(projection: Projection): LiveBuild | undefined
  /** Whether nothing has changed since the build was found: what is kept of it may be shown. */
  isUnchanged(live: LiveBuild): boolean
  /** The live build, which may be known from a moment ago. @throws {Problem} `view-building` */
  recent(projection: Projection): Promise<LiveBuild>
  /** Finds it anew. @throws {Problem} `view-building` */
  find(projection: Projection): Promise<LiveBuild>
}

/** Streams and documents of which a build's are kept: at least these, and less than twice as many. */
export const maxKeptStreams = 1_000
export const maxKeptDocuments = 2_000
/** Characters of a document that is kept; a longer one is read each time. */
export const maxKeptLength = 2_048

/**
 * How long it is taken as known which build is live and how far it covers the log, while changes
 * are under way or cannot be counted. A build that was live is projected and kept for a minute, and
 * ages are too high by this, never too low.
 */
const knownForMs = 50

export function createLiveBuilds(
  readModels: Pick<ReadModelStore, 'liveBuild' | 'openBuild' | 'changeCount'>,
  now: Clock,
): LiveBuilds {
  const known = new Map<string, LiveBuild>()
  const finding = new Map<string, Promise<LiveBuild>>()

  /** One change wakes all requests that wait: they find it together. */
  function find(projection: Projection): Promise<LiveBuild> {
    const { name } = projection
    const underWay = finding.get(name)
    if (underWay) return underWay
    const found = findAnew(projection).finally(() => finding.delete(name))
    finding.set(name, found)
    return found
  }

  async function findAnew(projection: Projection): Promise<LiveBuild> {
    const foundAtMs = now()
    const changeCount = readModels.changeCount() // first: what is read after it is at least as new
    const name = await readModels.liveBuild(projection.name)
    if (name === undefined || !isBuildOf(name, projection)) {
      throw queryProblem('view-building', { headers: retryAfter })
    }
    const build = await readModels.openBuild(name, projection.collections)
    const coverage = await build.coverage()
    const live: LiveBuild = {
      ...{ build, changeCount, foundAtMs },
      levelAtMs: coverage && Date.parse(coverage.levelAt),
      progress: createRecentlyUsed(maxKeptStreams),
      documents: createRecentlyUsed(maxKeptDocuments),
    }
    known.set(projection.name, live)
    return live
  }

  const isUnchanged = ({ changeCount }: LiveBuild): boolean =>
    changeCount !== undefined && changeCount === readModels.changeCount()

  function isRecent({ foundAtMs }: LiveBuild): boolean {
    const passedMs = now() - foundAtMs
    return passedMs >= 0 && passedMs <= knownForMs
  }

  return {
    isUnchanged,
    unchanged(projection) {
      const live = known.get(projection.name)
      return live !== undefined && isUnchanged(live) ? live : undefined
    },
    async recent(projection) {
      const live = known.get(projection.name)
      if (live === undefined) return find(projection)
      const isCurrent = readModels.changeCount() === undefined ? isRecent(live) : isUnchanged(live)
      return isCurrent ? live : find(projection)
    },
    find,
  }
}

/** What a document is kept under. */
export const documentKey = ({ collection, id }: DocumentKey): string => `${collection}/${id}`
