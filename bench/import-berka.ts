import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { loadConfig } from '../app/config.ts'
import { createHttpCommandSink } from '../app/import/http-command-sink.ts'
import { readMapping } from '../app/import/mapping.ts'
import { runImport } from '../app/import/run-import.ts'
import { openEvident } from '../app/open-evident.ts'

/**
 * The Berka year into an empty ledger through the bulk route: reading, checking every balance,
 * deciding and storing durably, with all projections running. The importer and the service share
 * one process here, which is the slower way.
 */
const data = fileURLToPath(new URL('../../shared/data/berka/trans-1993.asc', import.meta.url))
const mappingFile = new URL('../examples/berka/mapping.json', import.meta.url)
const repeats = 5

const seconds: number[] = []
for (let run = 0; run <= repeats; run += 1) {
  const taken = await importOnce()
  if (run > 0) seconds.push(taken) // the first one warms up
}
seconds.sort((a, b) => a - b)
const [best, median, worst] = [0, repeats >> 1, repeats - 1].map((at) => seconds[at] ?? 0)
console.log(JSON.stringify({ name: 'import-berka', value: median, unit: 's', best, worst }))

async function importOnce(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'evident-bench-'))
  const config = loadConfig({
    EVENT_STORE: `sqlite:${join(folder, 'events.db')}`,
    READ_MODELS: `sqlite:${join(folder, 'read-models')}`,
  })
  const evident = await openEvident(
    { ...config, dataFolder: folder, port: 0 },
    pino({ level: 'silent' }),
  )
  try {
    const startedAt = performance.now()
    const sink = createHttpCommandSink({ url: evident.url })
    const report = await runImport({
      file: data,
      mapping: readMapping(await readFile(mappingFile, 'utf8')),
      openSink: async () => ({ sink, close: async () => {} }),
    })
    const { outcome, transactions, balances } = report
    if (outcome !== 'done' || transactions.posted !== 28_205 || balances.checked !== 28_205) {
      throw new Error(`the import ended as ${outcome}: ${JSON.stringify(transactions)}`)
    }
    return Math.round(performance.now() - startedAt) / 1000
  } finally {
    await evident.close()
    await rm(folder, { recursive: true, force: true })
  }
}
