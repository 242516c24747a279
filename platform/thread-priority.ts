import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/**
 * Lets the other threads of the process go first when there are not enough cores for all. Linux alone
 * has a priority for each thread; elsewhere, and where it is forbidden, nothing changes.
 */
export function lowerThreadPriority(): void {
  try {
    const [, thread] = /\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self')) ?? []
    if (thread !== undefined) setPriority(Number(thread), constants.priority.PRIORITY_LOW)
  } catch {
    // It takes an equal share, as any thread does.
  }
}
