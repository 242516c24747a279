import { timestamp } from '../platform/clock.ts'
import type { FoldFailure } from './fold.ts'
import type { ProjectorOptions } from './projector-options.ts'
import type { Changes, Parked } from './read-model-store.ts'

/** Streams whose progress is kept in memory; beyond it all are read anew. */
const maxKnownStreams = 100_000

/** How far a projector has come in each stream, what is parked, and what of that is not written yet. */
export interface StreamProgress {
  readonly isParked: (stream: string) => boolean
  readonly parkedCount: () => number
  /** As `of`, where it is in memory: no event has to wait for that. */
  known(stream: string): bigint | undefined
  /** The last revision handled, written or not; -1 before the first. */
  of(stream: string): Promise<bigint>
  reach(stream: string, revision: bigint): void
  /** The stream waits before the event that failed. */
  park(failure: FoldFailure): void
  /** Says whether the stream was parked; from now on it flows. */
  unpark(stream: string): boolean
  /** What is to be written, if anything. */
  unwritten(): Pick<Changes, 'parked' | 'progress'>
  hasUnwritten(): boolean
  /** All there was to write is written. */
  keep(): void
  /** More is in memory than may be: it is to be forgotten. */
  isFull(): boolean
  /** Another projector may have been faster: what is written is read anew. */
  forget(): void
  /** Goes back to what is written. */
  startAnew(): Promise<void>
}

type Options = Required<Pick<ProjectorOptions, 'build' | 'now' | 'onAlarm'>>

export function createStreamProgress({ build, now, onAlarm }: Options): StreamProgress {
  const parked = new Set<string>()
  const known = new Map<string, bigint>()
  let reached = new Map<string, bigint>()
  let newlyParked: Parked[] = []

  return {
    isParked: (stream) => parked.has(stream),
    parkedCount: () => parked.size,

    known: (stream) => known.get(stream),

    async of(stream) {
      let progress = known.get(stream)
      if (progress === undefined) {
        progress = (await build.progress(stream)) ?? -1n
        known.set(stream, progress)
      }
      return progress
    },

    reach(stream, revision) {
      known.set(stream, revision)
      reached.set(stream, revision)
    },

    park({ stream, revision, error }) {
      const reason = error instanceof Error ? error.message : String(error)
      parked.add(stream)
      known.set(stream, revision - 1n)
      if (revision === 0n) reached.delete(stream)
      else reached.set(stream, revision - 1n)
      newlyParked.push({ stream, revision, reason, parkedAt: timestamp(now()) })
      onAlarm({ kind: 'parked', build: build.name, detail: `${stream}@${revision}: ${reason}` })
    },

    unpark(stream) {
      known.delete(stream)
      return parked.delete(stream)
    },

    unwritten: () => ({
      parked: newlyParked,
      progress: Array.from(reached, ([stream, revision]) => ({ stream, revision })),
    }),

    hasUnwritten: () => reached.size + newlyParked.length > 0,

    keep() {
      reached = new Map()
      newlyParked = []
    },

    isFull: () => known.size >= maxKnownStreams,

    forget: () => known.clear(),

    async startAnew() {
      reached = new Map()
      newlyParked = []
      known.clear()
      parked.clear()
      for (const { stream } of await build.parked()) parked.add(stream)
    },
  }
}
