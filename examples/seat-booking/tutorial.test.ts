import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { blocksOf, runDocument, withoutChance } from '../../tests/documents/run-document.ts'
import { temporaryFolder } from '../../tests/temporary-folder.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const example = fileURLToPath(new URL('./', import.meta.url))
const rules = 'examples/seat-booking/domain/'
const name = 'docs/tutorial-second-domain.md'
const tutorial = readFileSync(join(root, name), 'utf8')

const sourcesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file))

/** Files of the checkout that a file imports, from its root. */
function importsOf(file: string): readonly string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g)
  return [...found].map(([, path = '']) => relative(root, join(file, '..', path)))
}

describe('tutorial of the second domain', () => {
  const folder = temporaryFolder()

  it('quotes the example as it is', () => {
    const quotes = blocksOf(tutorial).filter(({ info }) => info.startsWith('ts'))
    expect(quotes.length).greaterThan(10)
    for (const { info, text, line } of quotes) {
      const [, path = ''] = info.split(' ')
      expect(path, `${name}:${line}`).match(/^examples\/seat-booking\//)
      expect(readFileSync(join(root, path), 'utf8'), `${name}:${line}`).include(`${text}\n`)
    }
  })

  it('shows what its commands print', async () => {
    symlinkSync(join(root, 'examples'), join(folder, 'examples'))
    const executed = await runDocument(tutorial, folder)
    expect(executed.length).greaterThan(5)
    for (const { command, expected, output, exitCode } of executed) {
      const place = `${name}:${command.line}`
      expect(exitCode, `${place} ended with this, saying ${output}`).equal(0)
      if (expected) expect(withoutChance(output), place).equal(withoutChance(expected.text))
    }
  }).timeout(60_000)

  it('names all that a domain uses of the core', () => {
    const named = [...tutorial.matchAll(/^\| `([^`]+\.ts)` \|/gm)].map(([, path]) => path)
    const used = sourcesIn(example)
      .filter((file) => file !== join(example, 'serve.ts'))
      .flatMap(importsOf)
      .filter((path) => !path.startsWith('examples/seat-booking/'))
    expect(named.toSorted()).deep.equal([...new Set(used)].sort())
  })

  it('keeps the rules pure: they see events, deciders and schemas only', () => {
    const pure = ['events/', 'command-service/domain/', 'platform/json-schema.ts', rules]
    for (const file of sourcesIn(join(example, 'domain'))) {
      for (const path of importsOf(file)) {
        const isPure = pure.some((one) => path.startsWith(one))
        expect(isPure, `${file} imports ${path}`).equal(true)
      }
    }
  })

  it('is known to no file of the core', () => {
    const core = ['adapters', 'app', 'command-service', 'events', 'platform', 'projections']
    for (const file of [...core, 'query-service'].flatMap((one) => sourcesIn(join(root, one)))) {
      expect(readFileSync(file, 'utf8'), file).not.match(
        /screening|seat.booking|from '.*examples\//i,
      )
    }
  })
})
