import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkLog } from '../crash/check-log.ts'
import { checkReadModels } from '../crash/check-read-models.ts'
import { readLog } from '../crash/logged.ts'
import { seeded } from '../crash/seeded.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { createWorkload } from '../crash/workload.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

interface Marker {
  readonly logId: string
  readonly position: string
}

const otherLog = '00000000-0000-4000-8000-000000000000'

/** What can stand where the relay's marker was, made from the one that was there. */
const damages: Readonly<Record<string, (marker: Marker) => string>> = {
  torn: (marker) => JSON.stringify(marker).slice(0, -9),
  'of another log': ({ position }) => JSON.stringify({ logId: otherLog, position }),
  'beyond the end of the log': ({ logId }) =>
    JSON.stringify({ logId, position: '0000000000900000' }),
  'at no position': ({ logId }) => JSON.stringify({ logId, position: 'nowhere' }),
}

describe('a marker of the relay that is not its own (C-03)', function () {
  this.timeout(60_000)
  const folder = join(temporaryFolder(), 'data')
  const path = join(folder, 'relay-marker.json')
  const workload = createWorkload(seeded(3))
  let server: ServerProcess
  let ownMarker: Marker

  const marker = (): Marker | undefined => {
    try {
      return JSON.parse(readFileSync(path, 'utf8'))
    } catch {
      return undefined // there is none yet, or what the test has put there
    }
  }

  async function load(): Promise<void> {
    const stopping = new AbortController()
    const { sent } = workload.history
    const enough = sent.length + 100
    const loading = workload.run(server.url, { clients: 4, signal: stopping.signal })
    const isEnough = () => sent.length > enough
    await eventually(isEnough, 'there was a load').finally(() => stopping.abort())
    await loading
  }

  before(async () => {
    server = await startServer(folder).serving
    await workload.setUp(server.url)
    await load()
    await eventually(() => marker() !== undefined, 'there is a marker')
    ownMarker = marker() ?? ownMarker
  })
  after(async () => {
    server.signal('SIGTERM')
    await server.ended
  })

  for (const [what, damage] of Object.entries(damages)) {
    it(`${what}: nothing is missed and nothing doubled`, async () => {
      server.signal('SIGTERM')
      expect(await server.ended, server.log()).equal(0)
      writeFileSync(path, damage(ownMarker))
      server = await startServer(folder).serving
      await load()
      await workload.settle(server.url)
      const log = await readLog(join(folder, 'events.db'))
      expect(checkLog(log, workload.history)).deep.equal([])
      expect(await checkReadModels(join(folder, 'read-models'), log)).deep.equal([])
      const end = log.at(-1)?.position ?? ''
      const isLevel = () => marker()?.logId === ownMarker.logId && marker()?.position === end
      await eventually(isLevel, 'a marker says where the log is published to')
    })
  }
})
