import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Seeded } from '../crash/seeded.ts'

/** `sync-lies`: all was written, and yet it says that it was not. `write-is-torn`: half of it was. */
export const faults = ['sync-fails', 'sync-lies', 'write-fails', 'write-is-torn'] as const
export type Fault = (typeof faults)[number]

/** The disk under one log, for processes that are started with the environment. */
export interface FaultyDisk {
  readonly environment: Readonly<Record<string, string>>
  break(fault: Fault): void
  /** How often anything failed. */
  failures(): number
  mend(): void
  /** Leaves of the log what was synced, and of what was written since any sectors. Nobody has it open. */
  cutPower(chance: Seeded): void
}

const source = fileURLToPath(new URL('./faulty-disk.c', import.meta.url))

/** The units that a disk writes as a whole. */
const sectorBytes = 512

/** For the log in this folder; `undefined` where there is no C compiler, or a system that is not Linux. */
export function createFaultyDisk(folder: string): FaultyDisk | undefined {
  mkdirSync(folder, { recursive: true })
  const library = join(folder, 'faulty-disk.so')
  if (process.platform !== 'linux') return undefined
  if (spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]).status !== 0) {
    return undefined
  }
  const path = join(realpathSync(folder), 'events.db')
  const control = join(folder, 'fault')
  const failed = join(folder, 'failed')
  return {
    environment: {
      LD_PRELOAD: library,
      FAULTY_FILE: path,
      FAULTY_CONTROL: control,
      FAULTY_COUNT: failed,
    },
    failures: () => readIfThere(failed).length,
    break: (fault) => writeFileSync(control, fault),
    mend: () => rmSync(control, { force: true }),
    cutPower(chance) {
      for (const file of [path, `${path}-wal`]) {
        const left = survivors(readFileSync(`${file}.synced`), readIfThere(file), chance)
        writeFileSync(file, left)
        writeFileSync(`${file}.synced`, left)
        rmSync(`${file}.clean`, { force: true })
      }
      rmSync(`${path}-shm`, { force: true }) // it is in memory only
    },
  }
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0) // a write-ahead log is removed when nobody has it open
  }
}

/**
 * Each sector as it was synced, as it was written last or, past what was synced, with anything in it;
 * the length anything between the two.
 */
function survivors(
  synced: Buffer,
  written: Buffer,
  { next, below, pick, happens }: Seeded,
): Buffer {
  const [shorter, longer] = [synced.length, written.length].toSorted((a, b) => a - b)
  if (shorter === undefined || longer === undefined) throw new Error('a length is missing')
  const left = Buffer.alloc(shorter + below(longer - shorter + 1))
  const share = pick([0, next(), 1])
  const noise = pick([0, next()])
  for (let at = 0; at < left.length; at += sectorBytes) {
    const from = happens(share) ? written : synced
    const end = Math.min(at + sectorBytes, left.length)
    if (at >= synced.length && happens(noise)) left.fill(below(256), at, end)
    else left.set(from.subarray(at, end), at)
  }
  return left
}
