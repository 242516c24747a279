import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  brief,
  create,
  type LedgerUnderTest,
  openBank,
  openHandler,
  openStore,
  pay,
} from '../command-service/ledger-under-test.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const names = (prefix: string): string[] => Array.from({ length: 6 }, (_, n) => `${prefix}-${n}`)

describe('an older copy of the log, restored beside a newer id index and snapshot', () => {
  const folder = join(temporaryFolder(), 'data')
  const path = (name: string) => join(folder, name)

  async function use<T>(work: (ledger: LedgerUnderTest) => Promise<T>): Promise<T> {
    const store = await openStore(folder)
    const ledger = await openHandler({ store, folder })
    try {
      return await work(ledger)
    } finally {
      await ledger.handler.close()
      await store.close()
    }
  }

  const payAll = (prefix: string) =>
    use(async ({ send }) => {
      const outcomes: string[] = []
      for (const id of names(prefix)) outcomes.push(brief(await send(pay(id, '5', 'bank', 'a'))))
      return outcomes.map((outcome) => outcome.split(' ', 1)[0])
    })

  /** What the files beside the log were before, as when they were not written any more. */
  async function withoutSaving<T>(work: () => Promise<T>): Promise<T> {
    for (const name of ['ids', 'snapshots'])
      cpSync(path(name), path(`${name}.old`), { recursive: true })
    const result = await work()
    for (const name of ['ids', 'snapshots']) {
      rmSync(path(name), { recursive: true })
      cpSync(path(`${name}.old`), path(name), { recursive: true })
    }
    return result
  }

  it('writes a ledger at once that the index knows and the log does not', async () => {
    const createOther = () =>
      use(async ({ handler }) =>
        brief(
          await handler.handle('other', {
            ...{ command: create, content: create, caller: 'anonymous' },
            idempotencyKey: 'k1',
            deadline: Date.now() + 3_000,
          }),
        ),
      )
    await use(({ send }) => send(create))
    cpSync(path('events.db'), path('backup'))
    expect(await createOther()).equal('accepted 0 LedgerCreated')
    cpSync(path('backup'), path('events.db'))
    expect(await createOther()).equal('accepted 0 LedgerCreated')
    expect(await createOther()).equal('replayed 0 LedgerCreated')
    rmSync(folder, { recursive: true })
  })

  it('remembers what the log has, also when it has grown past them and was killed', async () => {
    await use(async ({ send }) => {
      for (const command of [create, openBank]) await send(command)
    })
    await payAll('kept')
    cpSync(path('events.db'), path('backup'))
    expect(await payAll('lost')).deep.equal(names('accepted').map(() => 'accepted'))
    cpSync(path('backup'), path('events.db'))
    const grown = await withoutSaving(async () => [
      ...(await payAll('lost-not')),
      ...(await payAll('new')),
      ...(await payAll('lost-not')),
    ])
    expect(new Set(grown.slice(0, 12))).deep.equal(new Set(['accepted']))
    expect(new Set(grown.slice(12))).deep.equal(new Set(['replayed']))
    for (const known of ['kept', 'lost-not', 'new']) {
      expect(new Set(await payAll(known)), known).deep.equal(new Set(['replayed']))
    }
    expect(new Set(await payAll('lost'))).deep.equal(new Set(['accepted']))
  })
})
