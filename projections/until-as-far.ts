import type { Projector } from './projector.ts'
import type { Progress, ReadModelStore } from './read-model-store.ts'

/** How often the new build is asked whether it has come as far as the live one. */
const pollMs = 50

/** The new build does not come as far as the live one, which stays. */
export class RebuildStuck extends Error {
  readonly code = 'REBUILD_STUCK'
}

/**
 * Resolves when a build has come at least as far as the live one in every stream. What it has parked
 * and the live one is beyond is tried again: an operator may have skipped an event meanwhile.
 * @throws {RebuildStuck} where the build halted, or what it has parked fails again
 */
export async function untilAsFar(
  projector: Projector,
  live: Pick<Projector, 'build'>,
  readModels: Pick<ReadModelStore, 'changed'>,
): Promise<void> {
  const { build } = projector
  const stuck = (reason: string) =>
    new RebuildStuck(`${build.name} cannot replace ${live.build.name}: ${reason}`)
  for (;;) {
    const wanted = await live.build.allProgress()
    const behind = streamsBehind(await build.allProgress(), wanted)
    if (behind.size === 0) return
    const { halted } = projector.state()
    if (halted !== undefined) throw stuck(halted)
    for (const { stream, revision, reason } of await build.parked()) {
      if (!behind.has(stream) || (await projector.retry(stream))) continue
      throw stuck(`${stream}@${revision} is parked (${reason})`)
    }
    await readModels.changed(pollMs)
  }
}

function streamsBehind(
  progress: readonly Progress[],
  wanted: readonly Progress[],
): ReadonlySet<string> {
  const reached = new Map(progress.map(({ stream, revision }) => [stream, revision]))
  const behind = wanted.filter(({ stream, revision }) => (reached.get(stream) ?? -1n) < revision)
  return new Set(behind.map(({ stream }) => stream))
}
