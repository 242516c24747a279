import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareFolder, runDocument } from './run-document.ts'

/** Writes what the commands of a document print now into it: `node tests/documents/update.ts FILE`. */
for (const path of process.argv.slice(2)) {
  const folder = mkdtempSync(join(tmpdir(), 'evident-document-'))
  try {
    prepareFolder(folder)
    const executed = await runDocument(readFileSync(path, 'utf8'), folder)
    const lines = readFileSync(path, 'utf8').split('\n')
    for (const { command, expected, output, exitCode } of executed.toReversed()) {
      if (exitCode !== 0)
        throw new Error(`${path}:${command.line} ended with ${exitCode}: ${output}`)
      if (!expected) continue
      const from = expected.line - 1
      lines.splice(from, expected.text.split('\n').length, ...output.trimEnd().split('\n'))
    }
    writeFileSync(path, lines.join('\n'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
