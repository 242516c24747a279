import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { StreamUnavailable } from '../../command-service/command.ts'
import { ledgerSnapshot } from '../../command-service/domain/ledger/snapshot.ts'
import { createSnapshots } from '../../command-service/snapshots.ts'
import type { EventStore } from '../../events/event-store.ts'
import { failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { brief, create, openBank, openHandler, openStore, pay } from './ledger-under-test.ts'

describe('snapshots (decision 10)', () => {
  const root = temporaryFolder()
  let store: EventStore
  let folder: string
  let cases = 0

  beforeEach(async () => {
    folder = join(root, `case-${++cases}`)
    store = await openStore(folder)
    const { send, handler } = await openHandler({ store, folder })
    await send(create)
    await send(openBank)
    for (let n = 0; n < 5; n += 1) await send(pay(`t${n}`, '10', 'bank', 'a'))
    await handler.close()
  })
  afterEach(() => store.close())

  const path = () => join(folder, 'snapshots', 'ledger-demo.snapshot')
  const load = (more: { logId?: string; foldVersion?: string } = {}) =>
    createSnapshots({
      folder: join(folder, 'snapshots'),
      logId: 'log-1',
      foldVersion: 'v1',
      form: ledgerSnapshot,
      store,
      ...more,
    }).load('ledger-demo')

  it('keeps the state, the revision and the time of the last event', async () => {
    const snapshot = await load()
    expect(snapshot?.revision).equal(7n)
    expect(snapshot?.state.accounts.get('a')?.balances).deep.equal({ 'CZK/2': 50n })
    const events = []
    for await (const batch of store.readStream('ledger-demo')) events.push(...batch)
    expect(snapshot?.recordedAt).equal(JSON.parse(events.at(-1)?.metadata ?? '').recordedAt)
  })

  it('ignores one of another log or another fold', async () => {
    expect(await load({ logId: 'log-2' })).equal(undefined)
    expect(await load({ foldVersion: 'v2' })).equal(undefined)
  })

  it('ignores one that is torn anywhere, or changed', async () => {
    const whole = await readFile(path())
    for (let bytes = 0; bytes < whole.length; bytes += 7) {
      await truncate(path(), bytes)
      expect(await load(), `cut at ${bytes}`).equal(undefined)
      await writeFile(path(), whole)
    }
    const changed = Buffer.from(whole)
    changed.write('9', whole.indexOf('50'))
    await writeFile(path(), changed)
    expect(await load()).equal(undefined)
  })

  it('ignores one whose last event is not the store’s', async () => {
    const other = await openStore(join(folder, 'other'))
    try {
      const subject = await openHandler({ store: other, folder: join(folder, 'elsewhere') })
      await subject.send(create)
      for (let n = 0; n < 9; n += 1) {
        await subject.send({ type: 'OpenAccount', account: `x${n}` })
      }
      const snapshots = createSnapshots({
        folder: join(folder, 'snapshots'),
        logId: 'log-1',
        foldVersion: 'v1',
        form: ledgerSnapshot,
        store: other,
      })
      expect(await snapshots.load('ledger-demo')).equal(undefined)
    } finally {
      await other.close()
    }
  })

  it('a torn one costs a fold and nothing else', async () => {
    await truncate(path(), 100)
    const { send } = await openHandler({ store, folder })
    expect(brief(await send(pay('all', '51', 'a', 'bank')))).equal('insufficient-funds')
    expect(brief(await send(pay('all', '50', 'a', 'bank')))).equal('accepted 8 TransactionPosted')
  })

  it('the events after it are folded on it', async () => {
    const { send } = await openHandler({ store, folder }) // never closed: it leaves no newer one
    await send(pay('more', '5', 'bank', 'a'))
    const next = await openHandler({ store, folder })
    expect(brief(await next.send(pay('all', '55', 'a', 'bank')))).equal(
      'accepted 9 TransactionPosted',
    )
  })

  it('an event of a newer version is not guessed at: the ledger is not served (decision 11)', async () => {
    await rm(path())
    await store.append('ledger-demo', 7n, [
      {
        id: '00000000-0000-4000-8000-000000000000',
        type: 'TransactionPosted',
        data: '{}',
        metadata: '{"recordedAt":"2026-01-01T00:00:00.000Z","schemaVersion":2}',
      },
    ])
    const { send } = await openHandler({ store, folder })
    const error = await failureOf(send(pay('x', '1', 'bank', 'a')))
    expect(error).instanceOf(StreamUnavailable)
    expect(error.message).contain('ledger-demo@8')
  })
})
