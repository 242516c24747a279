import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openInProcessEventBus } from '../../adapters/in-process-event-bus.ts'
import { accounts } from '../../projections/accounts.ts'
import { catchUp } from '../../projections/catch-up.ts'
import { fillBuilds } from '../../projections/fill-builds.ts'
import { createProjector } from '../../projections/projector.ts'
import type { Alarm } from '../../projections/projector-options.ts'
import type { Build } from '../../projections/read-model-store.ts'
import { type RunProjectionsOptions, runProjections } from '../../projections/run-projections.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import {
  type Bank,
  created,
  digest,
  killedInWrite,
  openBank,
  opened,
  posted,
  posting,
} from './bank.ts'

/**
 * A log is copied, goes on and is projected; then the copy is put back beside the read models, and
 * goes on otherwise, as far as before and further.
 */
describe('read models of another past than the log’s', () => {
  const root = temporaryFolder()
  let cases = 0
  const banks: Bank[] = []
  afterEach(() => banks.pop()?.close())

  const post = (id: string) => posted(id, [posting('a', 'b', 5)])
  const posts = (name: string, count: number) =>
    Array.from({ length: count }, (_, n) => post(`${name}-${n}`))

  /** The bank of the copy with the read models of the other one, which `project` has made. */
  async function restored(project: (bank: Bank) => Promise<void>): Promise<Bank> {
    cases += 1
    const [before, after] = [join(root, `before-${cases}`), join(root, `after-${cases}`)]
    const first = await openBank(before)
    await first.record('x', [created, opened('a'), opened('b'), ...posts('kept', 3)])
    await first.close()
    cpSync(join(before, 'events.db'), join(after, 'events.db'))
    const bank = await openBank(before)
    await bank.record('x', posts('lost', 6))
    await project(bank)
    await bank.close()
    cpSync(join(before, 'read-models'), join(after, 'read-models'), { recursive: true })
    const other = await openBank(after)
    banks.push(other)
    await other.record('x', posts('new', 9))
    return other
  }

  const builder =
    (name: string, wrap: (build: Build) => Build = (build) => build) =>
    async ({ store, readModels, logId }: Bank) => {
      const build = wrap(await readModels.openBuild(name, accounts.collections))
      const projector = await createProjector({ projection: accounts, build, store, logId })
      await catchUp([projector], { store, logId }).catch(() => undefined)
      if (name.endsWith('.1')) await readModels.setLiveBuild('accounts', name)
    }

  /** Runs the projection on a bank until it is level; what it said, and what was live meanwhile. */
  async function run(bank: Bank, then: (running: Running) => Promise<void> = async () => {}) {
    const { store, readModels, logId } = bank
    const alarms: Alarm[] = []
    const liveMeanwhile: (string | undefined)[] = []
    const bus = openInProcessEventBus({ markerPath: join(root, 'none'), onError: () => {} })
    const fill: RunProjectionsOptions['fill'] = async (builds, onProgress) => {
      liveMeanwhile.push(await readModels.liveBuild('accounts'))
      await fillBuilds(builds, { store, readModels, logId, onProgress })
    }
    const onAlarm = (alarm: Alarm) => alarms.push(alarm)
    const projections = [accounts]
    const running = await runProjections({
      ...{ projections, store, bus, readModels, logId, fill, onAlarm },
    })
    await then(running).finally(running.stop).finally(bus.close)
    return { alarms, liveMeanwhile, live: await readModels.liveBuild('accounts') }
  }
  type Running = Awaited<ReturnType<typeof runProjections>>

  async function expectWhole(bank: Bank, live: string): Promise<void> {
    const { store, readModels, logId } = bank
    const fresh = 'accounts-v1.99'
    await fillBuilds([{ projection: accounts, build: fresh }], { store, readModels, logId })
    const [one, other] = await Promise.all(
      [live, fresh].map((name) => readModels.openBuild(name, accounts.collections)),
    )
    if (!one || !other) throw new Error('there are two')
    expect(await digest(one, accounts)).deep.equal(await digest(other, accounts))
  }

  const pasts: Readonly<Record<string, Parameters<typeof restored>[0]>> = {
    'a build that was level': builder('accounts-v1.1'),
    'a build whose progress was written, and its coverage not any more': builder(
      'accounts-v1.1',
      (build) => killedInWrite(build, ({ coverage, ...changes }) => changes),
    ),
    'a build that was killed between a document and its progress': builder(
      'accounts-v1.1',
      (build) =>
        killedInWrite(build, ({ furthest, documents, parked, unparked }) => ({
          ...(furthest && { furthest }),
          ...{ documents, parked, unparked: [...unparked, 'none'] },
        })),
    ),
    async 'a build that retried a stream beyond what it covered'(bank) {
      const { store, readModels, logId } = bank
      const build = await readModels.openBuild('accounts-v1.1', accounts.collections)
      const projector = await createProjector({ projection: accounts, build, store, logId })
      const events = await bank.readStream('ledger-x')
      await projector.handle({ events: events.slice(1, 2) }) // from a gap to there
      await build.write({
        ...{ finals: [], documents: [], unparked: [], progress: [] },
        parked: [{ stream: 'ledger-x', revision: 2n, reason: 'a test', parkedAt: '' }],
      })
      await (await createProjector({ projection: accounts, build, store, logId })).retry('ledger-x')
      expect((await build.coverage())?.position).equal(events[1]?.position)
      await readModels.setLiveBuild('accounts', build.name)
    },
  }
  for (const [what, project] of Object.entries(pasts)) {
    it(`${what} is not read any more and built anew`, async () => {
      const bank = await restored(project)
      const { alarms, liveMeanwhile, live } = await run(bank)
      expect(alarms.map(({ kind, build }) => `${kind} ${build}`)).deep.equal([
        'not-of-the-log accounts-v1.1',
      ])
      expect(alarms[0]?.detail).match(/^it was built of ledger-x@11 at position \d+ /)
      expect(liveMeanwhile).deep.equal([undefined])
      expect(live).equal('accounts-v1.2')
      expect(await bank.readModels.builds('accounts')).deep.equal([live])
      await expectWhole(bank, live ?? '')
      expect((await run(bank)).alarms).deep.equal([])
    })
  }

  it('a rebuild that was left unfinished is not gone on with', async () => {
    const bank = await restored(builder('accounts-v1.7'))
    await builder('accounts-v1.1')(bank)
    const { alarms, live } = await run(bank, (running) => running.rebuild('accounts'))
    expect(alarms.map(({ build }) => build)).deep.equal(['accounts-v1.7'])
    expect(live).equal('accounts-v1.8')
    await expectWhole(bank, live ?? '')
  })
})
