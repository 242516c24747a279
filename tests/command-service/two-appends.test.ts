import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
} from '../../events/event-store.ts'
import { eventually, failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type FaultyStore, faultyStore } from './faulty-store.ts'
import {
  brief,
  create,
  type LedgerUnderTest,
  openBank,
  openHandler,
  openStore,
  pay,
} from './ledger-under-test.ts'

describe('two appends under way (decisions 5 to 8)', () => {
  const root = temporaryFolder()
  let folders = 0
  const newFolder = () => join(root, `case-${++folders}`)
  const open: EventStore[] = []
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close()
  })

  interface Case extends LedgerUnderTest {
    readonly faulty: FaultyStore
    /** The store without its faults. */
    readonly engine: EventStore
    /** What was answered so far, in order. */
    readonly answers: string[]
    /** Sends without waiting for the answer, but until the command is on its way or must wait. */
    ask(...sent: Parameters<LedgerUnderTest['send']>): Promise<void>
  }

  /** A ledger in which `a` has 5. */
  async function openCase(options: {
    readonly exclusive?: boolean
    readonly clock?: () => number
    readonly stopTimeoutMs?: number
  }): Promise<Case> {
    const folder = newFolder()
    const store = await openStore(folder)
    open.push(store)
    const faulty = faultyStore(store, options)
    const ledger = await openHandler({ store: faulty, folder, ...options })
    await ledger.send(create)
    await ledger.send(openBank)
    await ledger.send(pay('seed', '5', 'bank', 'a'))
    faulty.appends.length = 0
    const answers: string[] = []
    return {
      ...ledger,
      faulty,
      engine: store,
      answers,
      async ask(...sent) {
        ledger.send(...sent).then(
          (outcome) => answers.push(brief(outcome).split(' ').slice(0, 2).join(' ')),
          (error: { code: string }) => answers.push(error.code),
        )
        await turns()
      },
    }
  }

  /** Enough for what needs no I/O to have happened. */
  async function turns(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await nextTurn()
  }

  /** Holds two appends up, each until its gate is opened, before they reach the store or after. */
  function gates(faulty: FaultyStore, hold: 'before' | 'after'): PromiseWithResolvers<void>[] {
    const all = Array.from({ length: 2 }, () => Promise.withResolvers<void>())
    let appends = 0
    faulty.intercept = async (append) => {
      const gate = all[appends++]
      if (hold === 'before') await gate?.promise
      const appended = await append()
      if (hold === 'after') await gate?.promise
      return appended
    }
    return all
  }

  const expectedOf = ({ appends }: FaultyStore) => appends.map(([, expected]) => expected)

  it('sends the second on the end of the first, and keeps the third back', async () => {
    const { ask, faulty, answers } = await openCase({})
    const [first, second] = gates(faulty, 'after')
    await ask(pay('t1', '5', 'a', 'b'))
    await ask(pay('t2', '5', 'b', 'c'))
    await ask(pay('t3', '5', 'c', 'd'))
    expect(expectedOf(faulty)).deep.equal([3n, 5n])
    first?.resolve()
    await eventually(() => faulty.appends.length === 3, 'the third is sent')
    expect(expectedOf(faulty).at(2)).equal(7n)
    expect(answers).deep.equal(['accepted 5'])
    second?.resolve()
    await eventually(() => answers.length === 3, 'all are answered')
  })

  it('answers nothing of the second before the first, whatever became durable', async () => {
    const { ask, faulty, answers, events } = await openCase({})
    const [first, second] = gates(faulty, 'after')
    second?.resolve()
    await ask(pay('t1', '5', 'a', 'b'))
    await Promise.all([
      ask(pay('t2', '5', 'b', 'c')),
      ask(pay('t3', '1', 'a', 'b')),
      ask(pay('t1', '5', 'a', 'b')),
      ask(pay('t1', '4', 'a', 'b')),
      ask(pay('dry', '5', 'c', 'bank'), { dryRun: true }),
    ])
    await eventually(async () => (await events()).length === 8, 'both are durable')
    await turns()
    expect(answers).deep.equal([])
    first?.resolve()
    await eventually(() => answers.length === 6, 'all are answered')
    expect(answers).deep.equal([
      'accepted 5',
      'accepted 7',
      'insufficient-funds',
      'replayed 5',
      'transaction-exists',
      'accepted -',
    ])
  })

  it('a batch without events waits for the one that it was decided on', async () => {
    for (const exclusive of [true, false]) {
      const { ask, faulty, answers } = await openCase({ exclusive })
      const [first] = gates(faulty, 'before')
      await ask(pay('t1', '5', 'a', 'b'))
      await ask(pay('t2', '1', 'a', 'b'))
      expect(answers).deep.equal([])
      first?.resolve()
      await eventually(() => answers.length === 2, 'both are answered')
      expect(answers).deep.equal(['accepted 5', 'insufficient-funds'])
    }
  })

  it('where others append, the second is not sent on what may never have happened', async () => {
    const { ask, faulty, answers, engine, events } = await openCase({ exclusive: false })
    const other = await openHandler({
      store: { ...engine, exclusive: false },
      folder: newFolder(),
    })
    const [first] = gates(faulty, 'before')
    await ask(pay('t1', '5', 'a', 'b'))
    await ask(pay('t2', '5', 'b', 'c'))
    expect(faulty.appends).lengthOf(1)
    // as many events as the first would have made: the second would find the revision it expects
    expect(brief(await other.send(pay('o1', '5', 'a', 'x')))).match(/^accepted 5/)
    first?.resolve()
    await eventually(() => answers.length === 2, 'both are answered')
    expect(answers).deep.equal(['insufficient-funds', 'insufficient-funds'])
    expect(await events()).lengthOf(6)
  })

  it('one that fails takes the second with it, which is decided again on what is true', async () => {
    const { ask, faulty, answers, events } = await openCase({})
    const gate = Promise.withResolvers<void>()
    faulty.intercept = async (append, [, expected]) => {
      if (expected !== 3n || faulty.appends.length > 2) return append()
      await gate.promise
      throw new EventStoreUnavailable('the disk is full')
    }
    await ask(pay('t1', '5', 'a', 'b'))
    await Promise.all([ask(pay('t2', '5', 'b', 'c')), ask(pay('t3', '5', 'a', 'd'))])
    expect(faulty.appends).lengthOf(2)
    gate.resolve()
    await eventually(() => answers.length === 3, 'all are answered')
    expect(answers).deep.equal(['EVENT_STORE_UNAVAILABLE', 'insufficient-funds', 'accepted 5'])
    expect(await events()).lengthOf(6)
  })

  it('settles unknown outcomes in order, whether they were written or not', async () => {
    for (const wasWritten of [true, false]) {
      const { ask, faulty, answers, events } = await openCase({})
      let failures = 4
      faulty.intercept = async (append) => {
        if (failures-- <= 0) return append()
        if (wasWritten) await append()
        throw new AppendOutcomeUnknown('the connection was lost')
      }
      await ask(pay('t1', '5', 'a', 'b'))
      await ask(pay('t2', '5', 'b', 'c'))
      await eventually(() => answers.length === 2, 'both are answered')
      expect(answers).deep.equal(['accepted 5', 'accepted 7'])
      expect(await events()).lengthOf(8)
    }
  })

  it('past its deadline: unknown for what was sent, nothing done for what was kept back', async () => {
    let now = 1_000_000
    const { ask, faulty, answers, events } = await openCase({ clock: () => now })
    const [first, second] = gates(faulty, 'after')
    const deadline = now + 100
    await ask(pay('t1', '5', 'a', 'b'), { deadline })
    await ask(pay('t2', '5', 'b', 'c'), { deadline })
    await ask(pay('t3', '5', 'c', 'd'), { deadline })
    now += 200
    await eventually(() => answers.length === 3, 'all are answered')
    expect(answers).deep.equal(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'OVERLOADED'])
    first?.resolve()
    second?.resolve()
    await ask(pay('t4', '5', 'c', 'e'))
    await eventually(() => answers.length === 4, 'what was sent is settled')
    expect(answers.at(-1)).equal('accepted 9')
    expect(await events()).lengthOf(10)
  })

  it('past its deadline a command is told once, also where the append fails after that', async () => {
    let now = 1_000_000
    const { ask, faulty, answers, handler } = await openCase({ clock: () => now })
    const gate = Promise.withResolvers<void>()
    faulty.intercept = async () => {
      await gate.promise
      throw new EventStoreUnavailable('the disk is full')
    }
    const deadline = now + 100
    await ask(pay('t1', '5', 'a', 'b'), { deadline })
    await ask(pay('t2', '5', 'b', 'c'), { deadline })
    now += 200
    await eventually(() => answers.length === 2, 'both are answered')
    gate.resolve()
    await turns()
    expect(handler.stats()).include({ waitingCommands: 0, waitingBytes: 0 })
    await handler.close()
    expect(answers).deep.equal(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'])
  })

  it('past its deadline a command is told once, also where the load fails after that', async () => {
    let now = 1_000_000
    const { faulty, engine } = await openCase({})
    const gate = Promise.withResolvers<void>()
    const subject = await openHandler({
      store: {
        ...faulty,
        // biome-ignore lint/correctness/useYield: it fails before the first event
        async *readStream() {
          await gate.promise
          throw new EventStoreUnavailable('cut')
        },
      },
      folder: newFolder(),
      clock: () => now,
    })
    const failure = failureOf(subject.send(pay('t1', '5', 'a', 'b'), { deadline: now + 100 }))
    now += 200
    expect(await failure).include({ code: 'OVERLOADED' })
    gate.resolve()
    await turns()
    expect(subject.handler.stats()).include({ waitingCommands: 0, waitingBytes: 0 })
    await subject.handler.close()
    expect(await engine.lastRevision('ledger-demo')).equal(3n)
  })

  it('stopped before the first is settled, it says of neither that nothing was done', async () => {
    const { ask, faulty, answers, handler, events } = await openCase({ stopTimeoutMs: 1 })
    let isFirst = true
    faulty.intercept = async (append, [, expected]) => {
      if (expected !== 3n) return append()
      if (isFirst) await append()
      isFirst = false
      throw new AppendOutcomeUnknown('the connection was lost')
    }
    await ask(pay('t1', '5', 'a', 'b'))
    await ask(pay('t2', '5', 'b', 'c'))
    await eventually(async () => (await events()).length === 8, 'both are durable')
    // biome-ignore lint/correctness/useYield: it fails before the first event
    faulty.readStream = async function* () {
      throw new EventStoreUnavailable('the connection was lost')
    }
    await handler.close()
    expect(answers).deep.equal(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'])
  })

  it('stopping answers both', async () => {
    const { ask, faulty, answers, handler, send } = await openCase({})
    const [first, second] = gates(faulty, 'after')
    await ask(pay('t1', '5', 'a', 'b'))
    await ask(pay('t2', '5', 'b', 'c'))
    const closing = handler.close()
    expect(await failureOf(send(pay('t3', '1', 'a', 'b')))).include({ code: 'OVERLOADED' })
    second?.resolve()
    first?.resolve()
    await closing
    expect(answers).deep.equal(['accepted 5', 'accepted 7'])
  })

  const fault = fc.constantFrom('none', 'none', 'unavailable', 'lost', 'lost after', 'overtaken')
  const move = fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom('a', 'b', 'c', 'bank'),
    fc.constantFrom('a', 'b', 'c', 'bank'),
  )

  it('whatever fails, what was accepted is in the log once, and the state is what the log says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(move, { minLength: 4, maxLength: 24 }),
        fc.array(fault, { minLength: 12, maxLength: 12 }),
        async (exclusive, moves, faults) => {
          const { faulty, send, events, engine } = await openCase({ exclusive })
          faulty.intercept = async (append, [stream, expected]) => {
            const next = faults.shift()
            await nextTurn()
            if (next === 'unavailable') throw new EventStoreUnavailable('gone')
            if (next === 'lost') throw new AppendOutcomeUnknown('cut')
            if (next === 'lost after') await append()
            if (next === 'lost after') throw new AppendOutcomeUnknown('cut')
            if (next === 'overtaken' && !exclusive && typeof expected === 'bigint') {
              const data = JSON.stringify({
                effectiveAt: '2026-01-01T00:00:00.000Z',
                id: randomUUID(),
                postings: [{ amount: '2', asset: 'CZK/2', from: 'a', to: 'bank' }],
              })
              const metadata = '{"recordedAt":"2026-01-01T00:00:00.000Z","schemaVersion":1}'
              const event = { id: randomUUID(), type: 'TransactionPosted', data, metadata }
              await engine.append(stream, 'any', [event])
            }
            return append()
          }
          const sent: Promise<string>[] = []
          for (const [n, [amount, from, to]] of moves.entries()) {
            if (from === to) continue
            const command = pay(`t${n}`, `${amount}`, from, to)
            sent.push(
              send(command).then(
                ({ status }) => `t${n} ${status}`,
                () => 'failed',
              ),
            )
            if (n % 3 === 0) await nextTurn()
          }
          const answers = await Promise.all(sent)
          const ids = (await events())
            .filter(({ type }) => type === 'TransactionPosted')
            .map(({ data }): string => JSON.parse(data).id)
            .filter((id) => /^t\d+$/.test(id))
          const accepted = answers.filter((text) => text.endsWith('accepted'))
          expect(ids).deep.equal([...new Set(ids)])
          expect(ids.toSorted()).deep.equal(accepted.map((text) => text.split(' ')[0]).toSorted())

          faulty.intercept = (append) => append()
          const fresh = await openHandler({ store: engine, folder: newFolder() })
          for (const account of ['a', 'b', 'c']) {
            const question = pay('probe', '99999', account, 'bank')
            expect(await send(question, { dryRun: true })).deep.equal(
              await fresh.send(question, { dryRun: true }),
            )
          }
        },
      ),
      { numRuns: 20 },
    )
  })
})
