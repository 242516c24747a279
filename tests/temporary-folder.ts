import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new folder for one test file; mocha removes it with all that is in it when the file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'evident-test-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
