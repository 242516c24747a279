import type { Clock } from '../platform/clock.ts'

/** The time over which a rate is taken. */
const windowMs = 10_000
const slotMs = 1_000

/** Counts events and tells how many a second there were of late. */
export function createEventRate(now: Clock) {
  let total = 0
  const marks: { readonly atMs: number; readonly total: number }[] = [{ atMs: now(), total }]

  return {
    add(count: number): void {
      total += count
      const atMs = now()
      if (atMs - (marks.at(-1)?.atMs ?? 0) >= slotMs) marks.push({ atMs, total })
      while (marks.length > windowMs / slotMs) marks.shift()
    },
    total: (): number => total,
    perSecond(): number {
      const atMs = now()
      const begin = marks.find((mark) => atMs - mark.atMs <= windowMs)
      if (!begin || atMs <= begin.atMs) return 0
      return Math.round(((total - begin.total) * 1_000) / (atMs - begin.atMs))
    },
  }
}
