import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { checkLog } from './check-log.ts'
import { checkReadModels } from './check-read-models.ts'
import type { History } from './history.ts'
import { readLog } from './logged.ts'
import { seeded } from './seeded.ts'
import { startServer } from './server-process.ts'
import { createWorkload } from './workload.ts'

describe('a process that is told to stop, or held', function () {
  this.timeout(60_000)
  const root = temporaryFolder()

  const attempts = ({ sent }: History): number =>
    sent.reduce((sum, command) => sum + command.attempts.length, 0)

  it('SIGTERM under load: what was done was answered, what was not answered was not done', async () => {
    for (const seed of [1, 2, 3]) {
      const folder = join(root, `stop-${seed}`)
      const workload = createWorkload(seeded(seed))
      const server = await startServer(folder).serving
      await workload.setUp(server.url)
      const stopping = new AbortController()
      const loading = workload.run(server.url, { clients: 8, signal: stopping.signal })
      await eventually(() => attempts(workload.history) > 100 * seed, 'it is under load')
      server.signal('SIGTERM')
      expect(await server.ended, server.log()).equal(0)
      stopping.abort()
      await loading
      // Nothing is settled first: a command that left an event must have been answered.
      const log = await readLog(join(folder, 'events.db'))
      expect(checkLog(log, workload.history).slice(0, 5)).deep.equal([])
      await expectRefused(server.url)
    }
  })

  it('SIGSTOP past the deadlines, then SIGCONT: nothing is done twice (C-09)', async () => {
    const folder = join(root, 'held')
    const workload = createWorkload(seeded(9))
    const server = await startServer(folder, { COMMAND_TIMEOUT_MS: '300' }).serving
    try {
      await workload.setUp(server.url)
      const stopping = new AbortController()
      const loading = workload.run(server.url, { clients: 8, signal: stopping.signal })
      for (let times = 1; times <= 3; times += 1) {
        await eventually(() => attempts(workload.history) > 80 * times, 'it is under load')
        server.signal('SIGSTOP')
        await pause(700)
        server.signal('SIGCONT')
      }
      const before = attempts(workload.history)
      await eventually(() => attempts(workload.history) > before + 50, 'it goes on')
      stopping.abort()
      await loading
      await workload.settle(server.url)
      const log = await readLog(join(folder, 'events.db'))
      expect(checkLog(log, workload.history).slice(0, 5)).deep.equal([])
      expect(await checkReadModels(join(folder, 'read-models'), log)).deep.equal([])
    } finally {
      server.signal('SIGKILL')
      await server.ended
    }
  })
})

async function expectRefused(url: string): Promise<void> {
  const answer = await fetch(`${url}/healthz`).catch(() => undefined)
  expect(answer).equal(undefined)
}
