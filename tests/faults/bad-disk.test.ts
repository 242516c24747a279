import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { checkLog } from '../crash/check-log.ts'
import { checkReadModels, checkShadow } from '../crash/check-read-models.ts'
import type { Attempt, History } from '../crash/history.ts'
import { type Logged, readLog } from '../crash/logged.ts'
import { seeded } from '../crash/seeded.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { createWorkload, type Workload } from '../crash/workload.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { createFaultyDisk, type Fault, type FaultyDisk, faults } from './faulty-disk.ts'

/** The longest that a load goes on before the power is cut. */
const maxLoadMs = 300

describe('a bad disk under the log (C-02, C-20)', function () {
  this.timeout(60_000)
  const root = temporaryFolder()
  let folder: string
  let disk: FaultyDisk
  let workload: Workload
  let server: ServerProcess | undefined
  let log: readonly Logged[]
  let cases = 0

  beforeEach(function () {
    cases += 1
    folder = join(root, `case-${cases}`)
    workload = createWorkload(seeded(cases))
    log = []
    const created = createFaultyDisk(folder)
    if (!created) this.skip() // a disk can be made to fail only where there is Linux and a C compiler
    disk = created
  })
  afterEach(async () => {
    server?.signal('SIGKILL')
    await server?.ended
  })

  const start = async (): Promise<ServerProcess> => {
    const environment = { ...disk.environment, COMMAND_TIMEOUT_MS: '500' }
    server = await startServer(folder, environment).serving
    return server
  }

  /** Settles what is open, then compares log and read models with what clients were told. */
  async function checkAll({ url }: ServerProcess): Promise<void> {
    await workload.settle(url)
    const before = log
    log = await readLog(join(folder, 'events.db'))
    expect(checkLog(log, workload.history, before).slice(0, 10)).deep.equal([])
    expect((await checkReadModels(join(folder, 'read-models'), log)).slice(0, 10)).deep.equal([])
  }

  /** Whoever closes a log last writes it: what the disk has must be looked at in a copy. */
  function copyOfLog(): string {
    const copy = join(folder, 'copy.db')
    for (const suffix of ['', '-wal']) {
      copyFileSync(join(folder, `events.db${suffix}`), `${copy}${suffix}`)
    }
    return copy
  }

  async function underLoad({ url }: ServerProcess, act: () => Promise<void>): Promise<void> {
    const stopping = new AbortController()
    const loading = workload.run(url, { clients: 4, signal: stopping.signal })
    try {
      await act()
    } finally {
      stopping.abort()
      await loading
    }
  }

  const since = ({ sent }: History, from: number) =>
    sent.flatMap(({ attempts }) => attempts).filter(({ sentAt }) => sentAt >= from)

  /** What clients were told was not done, by every answer they had. */
  const putOff = ({ sent }: History) =>
    sent.filter(
      ({ attempts }) =>
        attempts.length > 0 &&
        attempts.every(
          ({ outcome }) =>
            outcome.status === 'unknown' && outcome.why.endsWith('event-store-unavailable'),
        ),
    )

  /** Breaks the disk under load until something failed and, when `isLong`, a command is put off. */
  async function breakDisk(fault: Fault, url: string, { isLong }: { isLong: boolean }) {
    const { history } = workload
    const isAccepted = ({ outcome }: Attempt) => outcome.status === 'accepted'
    const startedAt = performance.now()
    await eventually(() => since(history, startedAt).some(isAccepted), `${url} accepts commands`)
    const failures = disk.failures()
    const brokenAt = performance.now()
    disk.break(fault)
    await eventually(() => disk.failures() > failures, 'it fails')
    const isPutOff = ({ outcome }: Attempt) => outcome.status === 'unknown'
    if (isLong) await eventually(() => since(history, brokenAt).some(isPutOff), 'some are put off')
  }

  for (const fault of faults) {
    it(`${fault}: the outcome is read back, and holds when the power goes`, async () => {
      const { history } = workload
      let running = await start()
      await workload.setUp(running.url)
      for (const isLong of [false, true]) {
        await underLoad(running, async () => {
          await breakDisk(fault, running.url, { isLong })
          disk.mend()
          const mendedAt = performance.now()
          const goesOn = ({ outcome }: Attempt) => outcome.status === 'accepted'
          await eventually(() => since(history, mendedAt).some(goesOn), 'it goes on')
        })
        await checkAll(running)
      }
      await underLoad(running, async () => {
        await breakDisk(fault, running.url, { isLong: true })
        running.signal('SIGKILL')
        await running.ended
      })
      disk.mend()
      const logged = namesIn(await readLog(copyOfLog()))
      const done = putOff(history).filter(({ id, key }) => logged.has(id ?? key))
      expect(done, 'what was put off as not done was not done').deep.equal([])
      running = await start()
      await checkAll(running)
      running.signal('SIGKILL')
      await running.ended
      disk.cutPower(seeded(cases))
      await checkAll(await start())
    })
  }

  it('a power cut keeps what was acknowledged, whatever sectors it tears', async () => {
    const chance = seeded(5)
    await workload.setUp((await start()).url)
    for (let cut = 0; cut < 3; cut += 1) {
      const running = server ?? (await start())
      await underLoad(running, async () => {
        await pause(chance.next() * maxLoadMs)
        running.signal('SIGKILL')
        await running.ended
      })
      disk.cutPower(chance)
      await checkAll(await start())
    }
    server?.signal('SIGTERM')
    expect(await server?.ended).equal(0)
    const live = { eventStorePath: join(folder, 'events.db'), folder: join(folder, 'read-models') }
    expect(await checkShadow(live, join(folder, 'shadow'))).deep.equal([])
  })
})

/** The keys and ids of the commands that left events. */
function namesIn(log: readonly Logged[]): ReadonlySet<string | undefined> {
  const names = new Set(log.map(({ metadata: { command } }) => command?.key))
  for (const { event } of log) if (event.type === 'TransactionPosted') names.add(event.data.id)
  return names
}
