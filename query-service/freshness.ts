import type { Clock } from '../platform/clock.ts'
import type { Request } from '../platform/http/request.ts'
import { isBuildOf } from '../projections/build-names.ts'
import type { Projection } from '../projections/projection.ts'
import type { Build, ReadModelStore } from '../projections/read-model-store.ts'
import { queryProblem, retryAfter } from './problems.ts'

/** A build to read from, with what it shows of a stream at least. */
export interface View {
  readonly build: Build
  /** Progress of the stream, read before any document; `undefined` where it does not know it. */
  readonly revision: bigint | undefined
  /** How old what it shows may be. */
  readonly ageMs: number | undefined
}

/** Opens the live builds of projections for reading. */
export interface Views {
  /** The view of several streams together: nothing can be waited for. @throws {Problem} */
  now(projection: Projection): Promise<View>
  /**
   * The view of one stream, where asked for at `min-revision` or later: it waits for that, as long
   * as the request prefers. @throws {Problem} `view-late`, `view-parked`, `view-building`
   */
  ofStream(projection: Projection, stream: string, freshness: Freshness): Promise<View>
}

export interface Freshness {
  readonly minRevision: string | undefined
  readonly request: Request
}

/** Waiting for a revision, unless the request says otherwise, and at most. */
export const defaultWaitMs = 2_000
export const maxWaitMs = 30_000

/**
 * How long it is taken as known which build is live and how far it covers the log. A build that was
 * live is kept for a minute, and ages are too high by this, never too low.
 */
const knownForMs = 50

interface Live {
  readonly at: number
  readonly build: Build
  readonly levelAtMs: number | undefined
}

export function createViews(
  readModels: Pick<ReadModelStore, 'liveBuild' | 'openBuild' | 'changed'>,
  now: Clock,
): Views {
  const known = new Map<string, Live>()

  async function findLive(projection: Projection, at: number): Promise<Live> {
    const name = await readModels.liveBuild(projection.name)
    if (name === undefined || !isBuildOf(name, projection)) {
      throw queryProblem('view-building', { headers: retryAfter })
    }
    const build = await readModels.openBuild(name, projection.collections)
    const coverage = await build.coverage()
    const live = { at, build, levelAtMs: coverage && Date.parse(coverage.levelAt) }
    known.set(projection.name, live)
    return live
  }

  function isCurrent(live: Live | undefined, at: number): live is Live {
    return live !== undefined && at - live.at <= knownForMs && at >= live.at
  }

  const ageAt = (at: number, { levelAtMs }: Live): number | undefined =>
    levelAtMs === undefined ? undefined : Math.max(0, at - levelAtMs)

  async function viewOf(projection: Projection, stream: string): Promise<View> {
    const at = now()
    const last = known.get(projection.name)
    const live = isCurrent(last, at) ? last : await findLive(projection, at)
    const { build } = live
    return { build, ageMs: ageAt(at, live), revision: await build.progress(stream) }
  }

  return {
    async now(projection) {
      const at = now()
      const live = await findLive(projection, at)
      return { build: live.build, revision: undefined, ageMs: ageAt(at, live) }
    },

    async ofStream(projection, stream, { minRevision, request }) {
      let view = await viewOf(projection, stream)
      if (minRevision === undefined) return view
      const wanted = BigInt(minRevision)
      const deadline = performance.now() + waitMsOf(request)
      while (isBefore(view, wanted)) {
        const leftMs = deadline - performance.now()
        if (leftMs <= 0 || request.signal.aborted) throw await whyNot(view, stream, wanted)
        const change = readModels.changed(leftMs) // first, so that no write falls in between
        view = await viewOf(projection, stream) // another build may be live by now
        if (!isBefore(view, wanted)) break
        await change
        view = await viewOf(projection, stream)
      }
      return view
    },
  }
}

const isBefore = ({ revision }: View, wanted: bigint): boolean =>
  revision === undefined || revision < wanted

async function whyNot(view: View, stream: string, wanted: bigint) {
  const members = { revision: view.revision?.toString() ?? null, wanted: wanted.toString() }
  const headers = { ...freshnessHeaders(view), ...retryAfter }
  const parked = await view.build.parked(stream)
  const code = parked.length > 0 ? 'view-parked' : 'view-late'
  return queryProblem(code, { members, headers })
}

/** `Prefer: wait=S` (RFC 7240); other preferences are ignored, as they should be. */
function waitMsOf(request: Request): number {
  const preferences = request.header('prefer')?.split(/[,;]/) ?? []
  const wait = preferences.map((one) => one.trim()).find((one) => /^wait\b/i.test(one))
  if (wait === undefined) return defaultWaitMs
  const seconds = /^wait\s*=\s*"?(\d{1,4})"?$/i.exec(wait)?.[1]
  const waitMs = Number(seconds) * 1_000
  if (!(waitMs <= maxWaitMs)) throw queryProblem('invalid-wait')
  return waitMs
}

export type Headers = Readonly<Record<string, string>>

/** What every read says of itself: the revision its view shows of the stream, and its age. */
export function freshnessHeaders({ revision, ageMs }: Pick<View, 'revision' | 'ageMs'>): Headers {
  const headers: Record<string, string> = {}
  if (revision !== undefined) headers['Evident-Revision'] = revision.toString()
  if (ageMs !== undefined) headers['Evident-Age-Ms'] = String(ageMs)
  return headers
}
