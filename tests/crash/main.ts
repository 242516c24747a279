import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crashRun, type Kill } from './crash-run.ts'

/** `npm run crash -- --runs N --seed S`: N seeded kills of real processes, and what they came to. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})

/** Kills of one folder; the next ones get a new folder and the next seed. */
const killsPerFolder = 10

const runs = Number(values.runs)
const firstSeed = Number(values.seed)
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(firstSeed)) {
  console.error('--runs takes a whole number from 1, --seed a whole number')
  process.exit(2)
}

const kills: Kill[] = []
let commands = 0
let events = 0
for (let seed = firstSeed; kills.length < runs; seed += 1) {
  const folder = mkdtempSync(join(tmpdir(), 'evident-crash-'))
  const left = Math.min(killsPerFolder, runs - kills.length)
  const report = await crashRun(folder, { seed, kills: left })
  kills.push(...report.kills)
  commands += report.commands
  events += report.events
  if (report.problems.length > 0) {
    console.error(report.problems.slice(0, 50).join('\n'))
    console.error(`seed ${seed}, kill ${report.kills.length}; all of it is in ${folder}`)
    console.error(`again: npm run crash -- --runs ${left} --seed ${seed}`)
    process.exit(1)
  }
  rmSync(folder, { recursive: true })
  console.log(`seed ${seed}: ${report.kills.length} kills, ${report.events} events, all as told`)
}

const moments = Map.groupBy(kills, ({ moment }) => moment)
for (const [moment, of] of moments) console.log(`${of.length} times ${moment}`)
const recoveries = kills.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b)
const shown = (place: number) => Math.round(recoveries.at(place) ?? 0)
console.log(
  `${kills.length} kills, ${commands} commands, ${events} events: nothing lost, nothing doubled; ` +
    `serving again after ${shown(Math.floor(recoveries.length / 2))} ms (median), ${shown(-1)} ms at most`,
)
