import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { temporaryFolder } from '../temporary-folder.ts'
import { prepareFolder, runDocument, withoutChance } from './run-document.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Every document whose commands a reader may paste. */
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`),
]

describe('documents', () => {
  const folder = temporaryFolder()

  for (const name of documents) {
    it(`${name}: every command does what is shown`, async function () {
      this.timeout(120_000)
      const ownFolder = join(folder, name.replaceAll('/', '-'))
      mkdirSync(ownFolder)
      prepareFolder(ownFolder)
      const executed = await runDocument(readFileSync(join(root, name), 'utf8'), ownFolder)
      for (const { command, expected, output, exitCode } of executed) {
        const place = `${name}:${command.line}`
        expect(exitCode, `${place} ended with this, saying ${output}`).equal(0)
        if (!expected) continue
        expect(withoutChance(output), place).equal(withoutChance(expected.text))
      }
    })
  }
})
