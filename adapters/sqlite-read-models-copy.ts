import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { backup } from 'node:sqlite'
import { guarded, openReadModelFile } from './sqlite-read-models-file.ts'

/** All pages in one step: in several, a write by somebody else would start the copy anew. */
const pagesPerStep = 2 ** 31 - 1

/**
 * Copies a build of a folder of read models to another folder, as it is at one moment. Who writes to
 * it goes on meanwhile. @throws {ReadModelsDamaged} @throws {ReadModelsUnavailable}
 */
export async function copyBuild(
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  mkdirSync(to, { recursive: true })
  const path = join(from, `${name}.db`)
  const db = openReadModelFile(path, { schema: '', readOnly: true })
  try {
    await backup(db, join(to, `${name}.db`), { rate: pagesPerStep })
  } catch (error) {
    guarded(path, () => {
      throw error
    })
  } finally {
    db.close()
  }
}
