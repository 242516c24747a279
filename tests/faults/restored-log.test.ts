import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkReadModels } from '../crash/check-read-models.ts'
import { readLog } from '../crash/logged.ts'
import { seeded } from '../crash/seeded.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { createWorkload } from '../crash/workload.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

describe('an older copy of the log, restored beside newer read models (C-20)', function () {
  this.timeout(60_000)
  const folder = join(temporaryFolder(), 'data')
  const path = join(folder, 'events.db')
  const workload = createWorkload(seeded(4))

  async function serveAndLoad(): Promise<ServerProcess> {
    const server = await startServer(folder).serving
    if (workload.history.sent.length < 10) await workload.setUp(server.url)
    const stopping = new AbortController()
    const { sent } = workload.history
    const enough = sent.length + 150
    const loading = workload.run(server.url, { clients: 4, signal: stopping.signal })
    const isEnough = () => sent.length > enough
    await eventually(isEnough, 'there was a load').finally(() => stopping.abort())
    await loading
    return server
  }

  async function stop(server: ServerProcess): Promise<void> {
    server.signal('SIGTERM')
    expect(await server.ended, server.log()).equal(0)
  }

  it('is what the read models show, also of streams that have grown again since', async () => {
    await stop(await serveAndLoad())
    copyFileSync(path, `${path}.backup`)
    await stop(await serveAndLoad())
    copyFileSync(`${path}.backup`, path)
    const server = await serveAndLoad()
    try {
      const log = await readLog(path)
      expect((await checkReadModels(join(folder, 'read-models'), log)).slice(0, 5)).deep.equal([])
    } finally {
      await stop(server)
    }
  })
})
