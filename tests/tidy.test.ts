import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What git knows or would take, so that data and builds are left out. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))

const sources = files.filter((file) => /\.(ts|js)$/.test(file))
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Of the project's folders, which may be imported by which; a folder may always import itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  events: ['platform'],
  projections: ['events', 'platform'],
  'command-service': ['events', 'platform'],
  'query-service': ['projections', 'events', 'platform'],
  adapters: ['events', 'projections', 'platform'],
}
const mayImportAnything = ['app', 'tests', 'bench', 'examples']

const sdks = ['node:sqlite', '@eventstore/db-client', 'kafkajs', 'mongodb']

const maxLines = 300
/** Tests may be longer: they are lists. */
const isTest = (file: string): boolean => file.startsWith('tests/')

const staticImport = /^(?:import|export)\b[^'"]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'/gm
const dynamicImport = /\bimport\('([^']+)'\)/g

function importsOf(file: string): readonly string[] {
  const text = textOf(file)
  return [...text.matchAll(staticImport), ...text.matchAll(dynamicImport)].map(
    ([, from, bare]) => from ?? bare ?? '',
  )
}

const folderOf = (file: string): string => file.split('/', 1)[0] ?? ''
const targetOf = (file: string, specifier: string): string =>
  relative(root, join(root, dirname(file), specifier))

describe('the tree', () => {
  it('is imported in the allowed directions only', () => {
    const wrong: string[] = []
    for (const file of sources) {
      const from = folderOf(file)
      if (mayImportAnything.includes(from) || !file.includes('/')) continue
      const allowed = [from, ...(mayImport[from] ?? [])]
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith('.')) continue
        const target = targetOf(file, specifier)
        if (!allowed.includes(folderOf(target))) wrong.push(`${file} imports ${target}`)
      }
    }
    expect(wrong).deep.equal([])
  })

  it('keeps the domain pure: events, and the schema type', () => {
    const domain = 'command-service/domain/'
    const wrong: string[] = []
    for (const file of sources.filter((one) => one.startsWith(domain))) {
      for (const specifier of importsOf(file)) {
        const target = specifier.startsWith('.') ? targetOf(file, specifier) : specifier
        const isAllowed =
          target.startsWith(domain) ||
          target.startsWith('events/') ||
          target === 'platform/json-schema.ts'
        if (!isAllowed) wrong.push(`${file} imports ${target}`)
      }
    }
    expect(wrong).deep.equal([])
  })

  it('leaves adapters to app, and engines to adapters', () => {
    const wrong: string[] = []
    for (const file of sources) {
      const from = folderOf(file)
      if (['adapters', 'tests', 'bench', 'examples'].includes(from)) continue
      for (const specifier of importsOf(file)) {
        if (sdks.includes(specifier)) wrong.push(`${file} imports ${specifier}`)
        const target = specifier.startsWith('.') ? targetOf(file, specifier) : ''
        if (folderOf(target) === 'adapters' && from !== 'app') {
          wrong.push(`${file} imports ${target}`)
        }
      }
    }
    expect(wrong).deep.equal([])
  })

  it('reads the environment in app/main.ts only; the launcher sets what threads look at', () => {
    const readers = sources
      .filter((file) => !['tests', 'bench'].includes(folderOf(file)))
      .filter((file) => /\bprocess\.env\b|\benv\b.*\}\s*=\s*process\b/.test(textOf(file)))
    expect(readers.toSorted()).deep.equal(['app/evident.js', 'app/main.ts'])
  })

  it('names files in kebab-case and has no dumping grounds', () => {
    const conventional = /^(LICENSE|README\.md|CHANGELOG\.md|CONTRIBUTING\.md|SECURITY\.md)$/
    const name = /^\.?[a-z0-9]+([-.][a-z0-9]+)*$/
    const dumps = ['utils', 'util', 'helpers', 'helper', 'common', 'lib', 'src', 'misc', 'shared']
    const wrong = files.filter((file) => {
      const parts = file.split('/')
      const last = parts.at(-1) ?? ''
      const stem = last.replace(/\..*$/, '')
      const isNamed = conventional.test(last) || parts.every((part) => name.test(part))
      return !isNamed || [...parts.slice(0, -1), stem].some((part) => dumps.includes(part))
    })
    expect(wrong.filter((file) => !/^(deploy|bench\/data)\//.test(file))).deep.equal([])
  })

  it('has no barrels and no default exports', () => {
    const wrong = sources.filter((file) => {
      const text = textOf(file)
      const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').trim()
      const isBarrel = code
        .split('\n')
        .filter((line) => line !== '')
        .every((line) => /^export\b.*\bfrom\b/.test(line))
      return isBarrel || /^export default\b/m.test(text)
    })
    expect(wrong).deep.equal([])
  })

  it(`keeps sources at ${maxLines} lines at most`, () => {
    const long = sources
      .filter((file) => !isTest(file))
      .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > maxLines)
    expect(long).deep.equal([])
  })

  it('has nothing left undone, and no test that runs alone', () => {
    const undone = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`)
    const alone = new RegExp(`\\b(describe|it|context)\\.${'only'}\\(`)
    const wrong = files
      .filter((file) => /\.(ts|js|md|json)$/.test(file) && file !== 'package-lock.json')
      .filter((file) => undone.test(textOf(file)) || alone.test(textOf(file)))
    expect(wrong).deep.equal([])
  })

  it('starts with the launcher that npx runs', () => {
    const { bin } = JSON.parse(textOf('package.json')) as { bin: Readonly<Record<string, string>> }
    expect(bin).deep.equal({ evident: 'app/evident.js' })
    expect(textOf('app/evident.js')).match(/^#!\/usr\/bin\/env node\n/)
    expect(statSync(join(root, 'app/evident.js')).mode & 0o111).above(0)
  })
})
