import type { Clock } from '../platform/clock.ts'
import type { Request } from '../platform/http/request.ts'
import type { DocumentKey, Projection } from '../projections/projection.ts'
import type { Build, ReadModelStore, StoredDocument } from '../projections/read-model-store.ts'
import { createLiveBuilds, documentKey, type LiveBuild, maxKeptLength } from './live-builds.ts'
import { queryProblem, queryProblems, retryAfter } from './problems.ts'

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
  /**
   * Shows one document of such a view. It is shown at once, without reading, where it was read
   * before and nothing has changed since. @throws {Problem} as `ofStream` does
   */
  ofDocument<T>(
    projection: Projection,
    key: StreamDocument,
    freshness: Freshness,
    show: Show<T>,
  ): Promise<T> | T
}

export interface StreamDocument extends DocumentKey {
  readonly stream: string
}

type Show<T> = (view: View, document: StoredDocument | undefined) => Promise<T> | T

export interface Freshness {
  readonly minRevision: string | undefined
  readonly request: Request
}

/** Waiting for a revision, unless the request says otherwise, and at most. */
export const defaultWaitMs = 2_000
export const maxWaitMs = 30_000

/** A view that knows what is kept of its build. */
interface LiveView extends View {
  readonly live: LiveBuild
}

export function createViews(
  readModels: Pick<ReadModelStore, 'liveBuild' | 'openBuild' | 'changed' | 'changeCount'>,
  now: Clock,
): Views {
  const builds = createLiveBuilds(readModels, now)

  function viewAt(live: LiveBuild, revision: bigint | undefined): LiveView {
    const { build, levelAtMs } = live
    const ageMs = levelAtMs === undefined ? undefined : Math.max(0, now() - levelAtMs)
    return { build, revision, ageMs, live }
  }

  async function viewOf(projection: Projection, stream: string): Promise<LiveView> {
    const live = await builds.recent(projection)
    const kept = builds.isUnchanged(live) ? live.progress.get(stream) : undefined
    if (kept !== undefined) return viewAt(live, kept)
    const revision = await live.build.progress(stream)
    if (revision !== undefined && builds.isUnchanged(live)) live.progress.set(stream, revision)
    return viewAt(live, revision)
  }

  async function viewSince(
    projection: Projection,
    stream: string,
    { minRevision, request }: Freshness,
  ): Promise<LiveView> {
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
  }

  async function readDocument<T>(
    projection: Projection,
    { stream, ...key }: StreamDocument,
    freshness: Freshness,
    show: Show<T>,
  ): Promise<T> {
    const view = await viewSince(projection, stream, freshness)
    const { live } = view
    const [document] = await live.build.get(key.collection, [key.id])
    const isKept = document !== undefined && document.body.length <= maxKeptLength
    if (isKept && builds.isUnchanged(live)) live.documents.set(documentKey(key), document)
    return show(view, document)
  }

  return {
    now: async (projection) => viewAt(await builds.find(projection), undefined),
    ofStream: viewSince,
    ofDocument(projection, key, freshness, show) {
      const live = builds.unchanged(projection)
      const document = live?.documents.get(documentKey(key))
      const revision = live?.progress.get(key.stream)
      if (live === undefined || document === undefined || revision === undefined) {
        return readDocument(projection, key, freshness, show)
      }
      const { minRevision } = freshness
      const isLate = minRevision !== undefined && revision < BigInt(minRevision)
      if (isLate) return readDocument(projection, key, freshness, show)
      return show(viewAt(live, revision), document)
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
  if (!(waitMs <= maxWaitMs)) {
    const detail = `The header Prefer asks to wait in another way. ${queryProblems['invalid-wait'].advice}`
    throw queryProblem('invalid-wait', { detail, parameter: 'Prefer' })
  }
  return waitMs
}

/** What every read says of itself: the revision its view shows of the stream, and its age. */
export function freshnessHeaders({
  revision,
  ageMs,
}: Pick<View, 'revision' | 'ageMs'>): Record<string, string> {
  const headers: Record<string, string> = {}
  if (revision !== undefined) headers['Evident-Revision'] = revision.toString()
  if (ageMs !== undefined) headers['Evident-Age-Ms'] = String(ageMs)
  return headers
}
