import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

/**
 * Names the version of a fold by its sources, so that nobody has to remember to raise it: any change
 * in them makes the snapshots that were made before void.
 */
export function foldVersion(folders: readonly URL[]): string {
  const digest = createHash('sha256')
  for (const folder of folders) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!name.endsWith('.ts')) continue
      digest
        .update(name)
        .update('\0')
        .update(readFileSync(new URL(name, folder)))
        .update('\0')
    }
  }
  return digest.digest('base64url')
}
