import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk of its own in memory, which fills up as a real one does. */
export interface SmallDisk {
  readonly path: string
  resize(bytes: number): void
  remove(): void
}

/** `undefined` where this machine lets us mount nothing. */
export function mountSmallDisk(bytes: number): SmallDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), 'evident-disk-'))
  const mount = (...given: readonly string[]) =>
    spawnSync('mount', ['-t', 'tmpfs', ...given, 'evident', path]).status === 0
  if (!mount('-o', `size=${bytes}`)) {
    rmSync(path, { recursive: true })
    return undefined
  }
  return {
    path,
    resize(to) {
      if (!mount('-o', `remount,size=${to}`)) throw new Error(`${path} cannot be resized`)
    },
    remove() {
      spawnSync('umount', ['--lazy', path])
      rmSync(path, { recursive: true, force: true })
    },
  }
}
