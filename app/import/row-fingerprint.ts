import { createHash } from 'node:crypto'

/**
 * Names a row by its own content, for files without an id: the start of a SHA-256 of its fields,
 * and from the second equal row on its number among them. The same file, or one with rows added at
 * its end, gives the same names.
 */
export function createFingerprint(): (fields: readonly string[]) => string {
  const counts = new Map<string, number>()
  return (fields) => {
    const hash = createHash('sha256').update(JSON.stringify(fields)).digest('hex').slice(0, 32)
    const count = (counts.get(hash) ?? 0) + 1
    counts.set(hash, count)
    return count === 1 ? hash : `${hash}-${count}`
  }
}
