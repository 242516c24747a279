import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkLog } from '../crash/check-log.ts'
import { checkReadModels } from '../crash/check-read-models.ts'
import { readTotals } from '../crash/client.ts'
import type { History } from '../crash/history.ts'
import { readLog } from '../crash/logged.ts'
import { seeded } from '../crash/seeded.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { createWorkload, ledgers, type Workload } from '../crash/workload.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

const small = 1_500_000
const large = 200_000_000

describe('a disk that fills up (C-19)', function () {
  this.timeout(60_000)
  const root = temporaryFolder()
  let disk: SmallDisk | undefined
  let server: ServerProcess
  let workload: Workload
  let folder: string
  let cases = 0

  beforeEach(function () {
    folder = join(root, `case-${++cases}`)
    workload = createWorkload(seeded(cases))
    disk = mountSmallDisk(small)
    if (!disk) this.skip() // mounting needs rights that this user has not
  })
  afterEach(async () => {
    server?.signal('SIGKILL')
    await server?.ended
    disk?.remove()
  })

  const start = async (environment: Readonly<Record<string, string>>) => {
    server = await startServer(folder, environment).serving
    await workload.setUp(server.url)
  }

  /** Sends until `isEnough`, with commands of every kind. */
  async function loadUntil(isEnough: () => boolean, what: string): Promise<void> {
    const stopping = new AbortController()
    const loading = workload.run(server.url, { clients: 4, signal: stopping.signal })
    try {
      await eventually(isEnough, what, 30_000)
    } finally {
      stopping.abort()
      await loading
    }
  }

  const codesSeen = ({ sent }: History): Set<string> =>
    new Set(
      sent.flatMap(({ attempts }) =>
        attempts.flatMap(({ outcome }) => (outcome.status === 'unknown' ? [outcome.why] : [])),
      ),
    )

  async function checkAll(eventStorePath: string, readModels: string): Promise<void> {
    const log = await readLog(eventStorePath)
    expect(checkLog(log, workload.history).slice(0, 10)).deep.equal([])
    expect((await checkReadModels(readModels, log)).slice(0, 10)).deep.equal([])
  }

  it('of the event store: commands are refused, reads go on, and all goes on with room', async () => {
    const path = join(disk?.path ?? '', 'events.db')
    await start({ EVENT_STORE: `sqlite:${path}` })
    const isFull = () => codesSeen(workload.history).has('503 event-store-unavailable')
    await loadUntil(isFull, 'the disk is full')
    const { history } = workload
    const fullAt = history.sent.length
    await loadUntil(() => history.sent.length > fullAt + 200, 'commands go on being refused')

    const log = await readLog(path)
    const named = new Set(log.map(({ metadata: { command } }) => command?.key))
    for (const { event } of log) if (event.type === 'TransactionPosted') named.add(event.data.id)
    const done = ({ attempts }: History['sent'][number]) =>
      attempts.some(({ outcome }) => outcome.status === 'accepted')
    const undone = history.sent.filter((sent) => named.has(sent.id ?? sent.key) && !done(sent))
    expect(undone, 'what was put off with "nothing was done" was not done').deep.equal([])

    const readsBefore = history.reads.length
    for (const ledger of ledgers) await readTotals(server.url, ledger, 0n, history)
    expect(history.reads.length - readsBefore, 'reads are answered').equal(ledgers.length)

    disk?.resize(large)
    await workload.settle(server.url)
    await checkAll(path, join(folder, 'read-models'))
  })

  it('of the read models: commands go on, and the models come level with room', async () => {
    const readModels = join(disk?.path ?? '', 'read-models')
    await start({ READ_MODELS: `sqlite:${readModels}` })
    const isFull = () => server.log().includes('a delivery failed')
    await loadUntil(isFull, 'the disk is full')
    const { history } = workload
    const fullAt = history.sent.length
    await loadUntil(() => history.sent.length > fullAt + 200, 'commands go on')
    const later = history.sent.slice(fullAt).flatMap(({ attempts }) => attempts)
    expect(later.some(({ outcome }) => outcome.status === 'accepted')).equal(true)
    expect(later.filter(({ outcome }) => outcome.status === 'unknown')).deep.equal([])

    disk?.resize(large)
    await workload.settle(server.url)
    await checkAll(join(folder, 'events.db'), readModels)
  })

  it('of snapshots, id index and marker: commands go on, also after the next start', async () => {
    const elsewhere = {
      EVENT_STORE: `sqlite:${join(root, `events-${cases}`, 'events.db')}`,
      READ_MODELS: `sqlite:${join(root, `read-models-${cases}`)}`,
    }
    folder = join(disk?.path ?? '', 'data')
    disk?.resize(8_192) // a folder or two, and a file of one page
    await start(elsewhere)
    const { history } = workload
    await loadUntil(() => history.sent.length > 500, 'commands go on')
    server.signal('SIGTERM')
    expect(await server.ended, server.log()).equal(0)
    expect(server.log()).contain('could not be written')

    server = await startServer(folder, elsewhere).serving
    await workload.settle(server.url)
    await loadUntil(() => history.sent.length > 800, 'commands go on')
    await workload.settle(server.url)
    await checkAll(
      elsewhere.EVENT_STORE.slice('sqlite:'.length),
      elsewhere.READ_MODELS.slice('sqlite:'.length),
    )
  })
})

describe('a limit on the size of files (C-19)', function () {
  this.timeout(60_000)
  const root = temporaryFolder()

  it('refuses commands cleanly and lets them go on when it is lifted', async function () {
    const folder = join(root, 'data')
    const workload = createWorkload(seeded(7))
    const server = await startServer(folder).serving
    const limit = (bytes: string) =>
      spawnSync('prlimit', [`--fsize=${bytes}:`, '--pid', `${server.pid}`]).status === 0
    try {
      await workload.setUp(server.url)
      const largest = Math.max(
        ...readdirSync(folder).map((name) => statSync(join(folder, name)).size),
      )
      if (!limit(String(largest + 200_000))) this.skip() // no such command on this machine
      const stopping = new AbortController()
      const loading = workload.run(server.url, { clients: 4, signal: stopping.signal })
      const isRefused = () =>
        workload.history.sent.some(({ attempts }) =>
          attempts.some(
            ({ outcome }) =>
              outcome.status === 'unknown' && outcome.why === '503 event-store-unavailable',
          ),
        )
      await eventually(isRefused, 'the limit is met', 30_000)
      limit('unlimited')
      stopping.abort()
      await loading
      await workload.settle(server.url)
      const log = await readLog(join(folder, 'events.db'))
      expect(checkLog(log, workload.history).slice(0, 10)).deep.equal([])
      expect(await checkReadModels(join(folder, 'read-models'), log)).deep.equal([])
    } finally {
      server.signal('SIGTERM')
      await server.ended
    }
  })
})
