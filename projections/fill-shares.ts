import type { CatchUpProgress } from './catch-up.ts'
import type { ToFill } from './fill-builds.ts'

/** Threads that fill builds at once, at most. Each reads the whole log, so more of them pay less. */
export const maxFillThreads = 2

/**
 * Splits builds into shares of about the same work, one for each thread: the heaviest first, each to
 * the share that has least. What a build costs is guessed from what is written for an event.
 */
export function fillShares(builds: readonly ToFill[]): readonly (readonly ToFill[])[] {
  const shares = Array.from({ length: Math.min(maxFillThreads, builds.length) }, () => ({
    builds: [] as ToFill[],
    cost: 0,
  }))
  for (const build of builds.toSorted((a, b) => costOf(b) - costOf(a))) {
    const [least] = shares.toSorted((a, b) => a.cost - b.cost)
    least?.builds.push(build)
    if (least) least.cost += costOf(build)
  }
  return shares.map((share) => share.builds)
}

/** A collection costs its fold and its documents, an index about half of that. */
const costOf = ({ projection: { collections } }: ToFill): number =>
  collections.reduce((sum, { indexes }) => sum + 2 + indexes.length, 0)

/** The progress of all shares together is that of the last of them. */
export function progressOfShares(
  shares: number,
  onProgress: (progress: CatchUpProgress) => void,
): (share: number, progress: CatchUpProgress) => void {
  const latest = new Map<number, CatchUpProgress>()
  return (share, progress) => {
    latest.set(share, progress)
    if (latest.size < shares) return
    const [last] = [...latest.values()].sort((a, b) => a.events - b.events)
    if (last) onProgress(last)
  }
}
