import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryFolder } from '../temporary-folder.ts'
import { crashRun } from './crash-run.ts'

/** The stated bound of a start after a kill, for these small logs, on two busy cores. */
const maxRecoveryMs = 10_000

describe('kill -9 of a real process (C-01, C-05, C-07, C-08, I1 to I8)', () => {
  const root = temporaryFolder()
  const seeds = [1, 2]

  it('20 kills at seeded moments lose nothing, double nothing and leave nothing half', async function () {
    this.timeout(120_000)
    const runs = seeds.map((seed) => crashRun(join(root, `${seed}`), { seed, kills: 10 }))
    for (const { seed, kills, problems, events } of await Promise.all(runs)) {
      const again = `npm run crash -- --runs 10 --seed ${seed}`
      expect(problems.slice(0, 20), again).deep.equal([])
      expect(kills.length).equal(10)
      expect(events, 'there was a load').greaterThan(100)
      for (const { recoveryMs } of kills) expect(recoveryMs).lessThan(maxRecoveryMs)
    }
  })
})
