import { join } from 'node:path'
import { expect } from 'chai'
import { decideBatch, type Folded } from '../../command-service/decide-batch.ts'
import type { LedgerCommand } from '../../command-service/domain/ledger/commands.ts'
import type { Ledger } from '../../command-service/domain/ledger/state.ts'
import { openFileIdIndex } from '../../command-service/file-id-index.ts'
import { ledgerDomain } from '../../command-service/ledger-domain.ts'
import type { Snapshots } from '../../command-service/snapshots.ts'
import { createStreamBase } from '../../command-service/stream-base.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { create, openBank, openStore, pay } from './ledger-under-test.ts'

const stream = 'ledger-demo'

const contentOf = (ledger: Ledger) => JSON.stringify([...ledgerDomain.snapshot.write(ledger)])

let ids = 0
const decide = (on: Folded<Ledger>, ...commands: LedgerCommand[]) =>
  decideBatch(
    ledgerDomain,
    stream,
    on,
    commands.map((command) => ({
      request: { command, content: command, caller: 'anonymous', deadline: 0 },
      hash: 'sha256:'.padEnd(50, 'x'),
      bytes: 100,
      key: undefined,
      own: undefined,
    })),
    [],
    { now: '2026-01-01T00:00:00.000Z', newId: () => `${++ids}` },
  )

describe('the durable base of a stream (decisions 5 and 10)', () => {
  const folder = temporaryFolder()

  it('a snapshot is of its revision, also where batches that were under way land meanwhile', async () => {
    await using closing = new AsyncDisposableStack()
    const store = await openStore(folder)
    closing.defer(store.close)
    const index = await openFileIdIndex({ folder, logId: 'log-1' })
    const gate = Promise.withResolvers<void>()
    let written: string | undefined
    const snapshots: Snapshots<Ledger> = {
      load: async () => undefined,
      async save(_stream, { state }) {
        await gate.promise
        written = contentOf(state)
      },
    }
    const base = createStreamBase(stream, { domain: ledgerDomain, store, index, snapshots })
    const opening = decide(await base.load(), create, openBank, pay('t1', '5', 'bank', 'a'))
    base.commit(opening)
    const atOpening = contentOf((await base.load()).state)

    const first = decide(await base.load(), pay('t2', '1', 'bank', 'a'))
    const second = decide(first.after, pay('t3', '2', 'a', 'b'))
    const saving = base.saveSnapshot()
    base.commit(first)
    const third = decide(second.after, pay('t4', '1', 'b', 'c'))
    base.commit(second)
    gate.resolve()
    await saving
    expect(written).equal(atOpening)

    base.commit(third)
    expect(contentOf((await base.load()).state)).equal(
      JSON.stringify([
        { accountOpening: 'on-first-use' },
        [
          ['bank', { 'CZK/2': '-6' }, { 'CZK/2': 'unlimited' }],
          ['a', { 'CZK/2': '4' }, {}],
          ['b', { 'CZK/2': '1' }, {}],
          ['c', { 'CZK/2': '1' }, {}],
        ],
      ]),
    )
    expect(base.unsavedEvents).equal(5n)
  })

  it('a snapshot that ended when nothing was in memory changes none that is written later', async () => {
    await using closing = new AsyncDisposableStack()
    const store = await openStore(join(folder, 'forgotten'))
    closing.defer(store.close)
    const index = await openFileIdIndex({ folder: join(folder, 'forgotten'), logId: 'log-1' })
    let gate = Promise.withResolvers<void>()
    const written: string[] = []
    const snapshots: Snapshots<Ledger> = {
      load: async () => undefined,
      async save(_stream, { state }) {
        await gate.promise
        written.push(contentOf(state))
      },
    }
    const base = createStreamBase(stream, { domain: ledgerDomain, store, index, snapshots })
    const opening = decide(await base.load(), create, openBank, pay('t1', '5', 'bank', 'a'))
    await store.append(stream, 'no-stream', opening.events)
    base.commit(opening)
    const atOpening = contentOf((await base.load()).state)

    const ended = base.saveSnapshot()
    base.forget()
    gate.resolve()
    await ended

    gate = Promise.withResolvers()
    const others = decide(await base.load(), pay('t2', '1', 'bank', 'a'))
    const saving = base.saveSnapshot()
    await store.append(stream, opening.after.revision, others.events)
    await base.foldTail()
    gate.resolve()
    await saving
    expect(written).deep.equal([atOpening, atOpening])
    expect(contentOf((await base.load()).state)).not.equal(atOpening)
  })
})
