import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import type { Result } from './result.ts'

/** Every benchmark: the figures that its script prints. */
const scripts: Readonly<Record<string, readonly string[]>> = {
  'command-http.ts': ['command-http'],
  'command-bulk.ts': ['command-bulk'],
  'two-writers.ts': ['two-writers'],
  'import-berka.ts': ['import-berka'],
  'rebuild.ts': ['rebuild'],
  'visible.ts': ['visible'],
  'read-balance.ts': ['read-balance'],
  'large-ledger.ts': ['memory', 'cold-start', 'growth'],
}

/** `npm run bench`, `-- --only command-http,visible`, `-- --json` for one object a line. */
const { values } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'boolean', default: false } },
})
const only = values.only?.split(',')
const known = Object.values(scripts).flat()
const unknown = only?.filter((name) => !known.includes(name)) ?? []
if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(', ')}; there are ${known.join(', ')}`)
  process.exit(2)
}

const table = new Table({ head: ['name', 'value', 'unit', 'spread', 'p99 ms', 'ratio', 'also'] })
for (const [script, names] of Object.entries(scripts)) {
  if (only && !names.some((name) => only.includes(name))) continue
  const path = fileURLToPath(new URL(script, import.meta.url))
  if (!existsSync(path)) throw new Error(`${script} is missing`)
  const run = spawnSync(process.execPath, [path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (run.status !== 0) {
    console.error(`${script} ended with ${run.status}`)
    process.exitCode = 1
    continue
  }
  for (const line of run.stdout.trim().split('\n')) {
    if (values.json) console.log(line)
    else table.push(rowOf(JSON.parse(line) as Result))
  }
}
if (!values.json) console.log(table.toString())

function rowOf({ name, value, unit, spread, p99Ms, ratio, also }: Result): (string | number)[] {
  const others = Object.entries(also ?? {}).map(([key, figure]) => `${key} ${figure}`)
  return [name, value, unit, spread?.join(' – ') ?? '', p99Ms ?? '', ratio ?? '', others.join('\n')]
}
