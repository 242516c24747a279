import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import type { LedgerCommand } from '../../command-service/domain/ledger/commands.ts'
import { openFileIdIndex } from '../../command-service/file-id-index.ts'
import { manyWaitingBytes, maxWaitingBytes } from '../../command-service/handle-command.ts'
import { DamagedIdIndex, type IdIndex } from '../../command-service/id-index.ts'
import {
  AppendOutcomeUnknown,
  type EventStore,
  EventStoreUnavailable,
} from '../../events/event-store.ts'
import { eventually, failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { faultyStore, holdAppends } from './faulty-store.ts'
import { brief, create, openBank, openHandler, openStore, pay } from './ledger-under-test.ts'

describe('command handling', () => {
  const root = temporaryFolder()
  let folders = 0
  const newFolder = () => join(root, `case-${++folders}`)
  const open: EventStore[] = []
  async function newStore(folder = newFolder()): Promise<{ store: EventStore; folder: string }> {
    const store = await openStore(folder)
    open.push(store)
    return { store, folder }
  }
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close()
  })

  describe('group commit (decision 5)', () => {
    it('appends together what arrives while an append is under way', async () => {
      const { store, folder } = await newStore()
      const counting = faultyStore(store)
      const { send, events } = await openHandler({ store: counting, folder })
      await send(create)
      await send(openBank)
      counting.appends.length = 0
      const outcomes = await Promise.all(
        Array.from({ length: 500 }, (_, n) => send(pay(`t${n}`, '1', 'bank', `c${n}`))),
      )
      expect(outcomes.every(({ status }) => status === 'accepted')).equal(true)
      expect(counting.appends.length).lessThan(10)
      expect(await events()).lengthOf(2 + 1_000)
    })

    it('decides each command on what those before it in the batch leave behind', async () => {
      const { send } = await openHandler(await newStore())
      await send(create)
      await send(openBank)
      const outcomes = await Promise.all([
        send(pay('in', '10', 'bank', 'a')),
        send(pay('out1', '6', 'a', 'b')),
        send(pay('out2', '6', 'a', 'b')),
        send(pay('in2', '10', 'bank', 'a')),
        send(pay('out3', '6', 'a', 'b')),
      ])
      expect(outcomes.map((outcome) => brief(outcome).split(' ')[0])).deep.equal([
        'accepted',
        'accepted',
        'insufficient-funds',
        'accepted',
        'accepted',
      ])
    })

    it('a batch that fails leaves the state as it was: what the log says is what holds', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.array(
              fc.tuple(
                fc.integer({ min: 1, max: 9 }),
                fc.constantFrom('a', 'b', 'c'),
                fc.constantFrom('a', 'b', 'c', 'bank'),
              ),
              { minLength: 1, maxLength: 8 },
            ),
            { minLength: 1, maxLength: 8 },
          ),
          fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
          async (rounds, failures) => {
            const { store, folder } = await newStore()
            const faulty = faultyStore(store)
            const subject = await openHandler({ store: faulty, folder })
            await subject.send(create)
            await subject.send(openBank)
            await subject.send(pay('seed', '20', 'bank', 'a'))
            let id = 0
            for (const [round, moves] of rounds.entries()) {
              faulty.intercept = (append) =>
                failures[round] ? Promise.reject(new EventStoreUnavailable('gone')) : append()
              await Promise.allSettled(
                moves
                  .filter(([, from, to]) => from !== to)
                  .map(([amount, from, to]) =>
                    subject.send(pay(`t${id++}`, `${amount}`, from, to)),
                  ),
              )
            }
            faulty.intercept = (append) => append()
            const fresh = await openHandler({ store, folder: newFolder() })
            // the same question to the long-lived state and to a new fold of the log
            for (const account of ['a', 'b', 'c']) {
              const question = pay('probe', '99999', account, 'bank')
              expect(await subject.send(question, { dryRun: true })).deep.equal(
                await fresh.send(question, { dryRun: true }),
              )
            }
          },
        ),
        { numRuns: 15 },
      )
    })
  })

  describe('nothing is answered from what is not confirmed (decision 6)', () => {
    it('no answer leaves before the append it was decided on is durable, refusals neither', async () => {
      const { store, folder } = await newStore()
      const slow = faultyStore(store)
      const { send } = await openHandler({ store: slow, folder })
      await send(create)
      await send(openBank)
      const letThrough = holdAppends(slow)
      const answered: string[] = []
      const sent = [
        send(pay('in', '5', 'bank', 'a')),
        send(pay('too-much', '6', 'a', 'bank')),
        send(pay('dry', '5', 'a', 'bank'), { dryRun: true }),
        send(pay('in', '5', 'bank', 'a')),
      ].map((promise) => promise.then((outcome) => answered.push(brief(outcome))))
      await eventually(() => slow.appends.length === 3, 'the append is under way')
      expect(answered).deep.equal([])
      letThrough()
      await Promise.all(sent)
      expect(answered).deep.equal([
        'accepted 3 AccountOpened,TransactionPosted',
        'insufficient-funds',
        'accepted - TransactionPosted',
        'replayed 3 AccountOpened,TransactionPosted',
      ])
    })

    it('a refusal that another process has overtaken is decided again', async () => {
      const { store, folder } = await newStore()
      const shared = faultyStore(store, { exclusive: false })
      const one = await openHandler({ store: shared, folder: join(folder, 'one') })
      const two = await openHandler({ store: shared, folder: join(folder, 'two') })
      await one.send(create)
      await one.send(openBank)
      expect(brief(await two.send(pay('t1', '5', 'a', 'bank')))).equal('insufficient-funds')
      await one.send(pay('in', '5', 'bank', 'a'))
      expect(brief(await two.send(pay('t1', '5', 'a', 'bank')))).match(/^accepted/)
      expect(brief(await one.send(pay('t2', '5', 'a', 'bank')))).equal('insufficient-funds')
    })

    it('two handlers that write the same ledger at once lose nothing and do nothing twice', async () => {
      const { store, folder } = await newStore()
      const shared = faultyStore(store, { exclusive: false })
      const handlers = await Promise.all(
        ['one', 'two'].map((name) => openHandler({ store: shared, folder: join(folder, name) })),
      )
      await handlers[0]?.send(create)
      await handlers[0]?.send(openBank)
      const outcomes = await Promise.all(
        Array.from({ length: 400 }, async (_, n) => {
          const handler = handlers[n % 2]
          if (!handler) throw new Error('no handler')
          return handler.send(pay(`t${n % 100}`, '1', 'bank', 'a'))
        }),
      )
      const texts = outcomes.map((outcome) => brief(outcome).split(' ')[0])
      expect(texts.filter((text) => text === 'accepted')).lengthOf(100)
      expect(texts.filter((text) => text === 'replayed')).lengthOf(300)
      const posted = (await handlers[0]?.events())?.filter(
        ({ type }) => type === 'TransactionPosted',
      )
      expect(posted).lengthOf(100)
    })
  })

  describe('unknown outcomes are settled (decision 7)', () => {
    it('repeats the identical append until it is known, whether it was written or not (C-02)', async () => {
      for (const wasWritten of [true, false]) {
        const { store, folder } = await newStore()
        const faulty = faultyStore(store)
        const { send, events } = await openHandler({ store: faulty, folder })
        await send(create)
        await send(openBank)
        let failures = 3
        faulty.appends.length = 0
        faulty.intercept = async (append) => {
          if (failures-- <= 0) return append()
          if (wasWritten) await append()
          throw new AppendOutcomeUnknown('the connection was lost')
        }
        expect(brief(await send(pay('t1', '5', 'bank', 'a')))).equal(
          'accepted 3 AccountOpened,TransactionPosted',
        )
        expect(faulty.appends).lengthOf(4)
        for (const call of faulty.appends) expect(call).deep.equal(faulty.appends[0])
        expect(await events()).lengthOf(4)
      }
    })

    it('does not take "nothing was appended" for an answer once an earlier try is in doubt', async () => {
      const { store, folder } = await newStore()
      const faulty = faultyStore(store)
      const { send, events } = await openHandler({ store: faulty, folder })
      await send(create)
      const faults = [new AppendOutcomeUnknown('cut'), new EventStoreUnavailable('down')]
      faulty.intercept = async (append) => {
        const fault = faults.shift()
        if (!fault) return append()
        if (fault instanceof AppendOutcomeUnknown) await append()
        throw fault
      }
      expect(brief(await send(openBank))).equal('accepted 1 AccountOpened')
      expect(await events()).lengthOf(2)
    })

    it('says that nothing was done when nothing was, and goes on when the store is back (C-16)', async () => {
      const { store, folder } = await newStore()
      const faulty = faultyStore(store)
      const { send, events } = await openHandler({ store: faulty, folder })
      await send(create)
      faulty.intercept = () => Promise.reject(new EventStoreUnavailable('down'))
      expect(await failureOf(send(openBank))).instanceOf(EventStoreUnavailable)
      faulty.intercept = (append) => append()
      expect(brief(await send(openBank))).equal('accepted 1 AccountOpened')
      expect(await events()).lengthOf(2)
    })

    it('past its deadline a command is told "unknown" if it was sent, "nothing done" if it was not', async () => {
      const { store, folder } = await newStore()
      const faulty = faultyStore(store)
      let now = 1_000_000
      const { send, events } = await openHandler({ store: faulty, folder, clock: () => now })
      await send(create)
      let isDown = true
      faulty.intercept = async (append) => {
        if (isDown) throw new AppendOutcomeUnknown('no answer')
        return append()
      }
      const sent = failureOf(send(openBank, { deadline: now + 100 }))
      await eventually(() => faulty.appends.length > 1, 'it was sent')
      const queued = failureOf(send(pay('t1', '1', 'bank', 'a'), { deadline: now + 100 }))
      now += 200
      expect(await sent).include({ code: 'OUTCOME_UNKNOWN' })
      expect(await queued).include({ code: 'OVERLOADED' })
      isDown = false
      await eventually(async () => (await events()).length === 2, 'the append was settled')
      expect(brief(await send(openBank, { deadline: now + 1_000 }))).equal('accepted 1')
      expect((await events()).map(({ type }) => type)).deep.equal([
        'LedgerCreated',
        'AccountOpened',
      ])
    })
  })

  describe('idempotency (decision 8)', () => {
    const key = (idempotencyKey: string, caller = 'anonymous') => ({ idempotencyKey, caller })

    it('the same key and content gets the first answer again, other content is refused', async () => {
      const { send, events } = await openHandler(await newStore())
      await send(create)
      const first = await send(openBank, key('k1'))
      const again = await send(openBank, key('k1'))
      expect(brief(first)).equal('accepted 1 AccountOpened')
      expect(brief(again)).equal('replayed 1 AccountOpened')
      const other: LedgerCommand = { type: 'OpenAccount', account: 'other' }
      expect(brief(await send(other, key('k1')))).equal('idempotency-key-reused')
      expect(await events()).lengthOf(2)
    })

    it('a key belongs to its caller', async () => {
      const { send } = await openHandler(await newStore())
      await send(create, key('k1', 'alice'))
      expect(brief(await send(openBank, key('k1', 'bob')))).equal('accepted 1 AccountOpened')
    })

    it('keys and transaction ids do not meet', async () => {
      const { send } = await openHandler(await newStore())
      await send(create, key('same'))
      await send(openBank)
      expect(brief(await send(pay('same', '1', 'bank', 'a')))).match(/^accepted/)
    })

    it('a key is remembered also where nothing changed; without one nothing is written', async () => {
      const { send, events } = await openHandler(await newStore())
      await send(create)
      expect(brief(await send(create))).equal('accepted 0')
      expect(await events()).lengthOf(1)
      expect(brief(await send(create, key('k1')))).equal('accepted 1')
      expect(brief(await send(create, key('k1')))).equal('replayed 1')
      expect((await events()).map(({ type }) => type)).deep.equal([
        'LedgerCreated',
        'CommandAccepted',
      ])
      expect(brief(await send(openBank, key('k1')))).equal('idempotency-key-reused')
    })

    it('a refused command is not remembered', async () => {
      const { send } = await openHandler(await newStore())
      await send(create)
      await send(openBank)
      expect(brief(await send(pay('t1', '5', 'a', 'bank'), key('k')))).equal('insufficient-funds')
      await send(pay('in', '5', 'bank', 'a'))
      expect(brief(await send(pay('t1', '5', 'a', 'bank'), key('k')))).match(/^accepted/)
    })

    it('the same command a hundred times at once has one effect (C-32)', async () => {
      const { send, events } = await openHandler(await newStore())
      await send(create)
      await send(openBank)
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          send(pay('t1', '5', 'bank', 'a'), n % 2 ? key(`k${n}`) : {}),
        ),
      )
      const texts = outcomes.map(brief)
      expect(texts.filter((text) => text.startsWith('accepted'))).lengthOf(1)
      expect(
        texts.filter((text) => text === 'replayed 3 AccountOpened,TransactionPosted'),
      ).lengthOf(99)
      expect(await events()).lengthOf(4)
    })

    it('answers again after a restart, with and without its index', async () => {
      const { store, folder } = await newStore()
      const first = await openHandler({ store, folder })
      await first.send(create)
      await first.send(openBank, key('k1'))
      const answer = await first.send(pay('t1', '5', 'bank', 'a'))
      await first.handler.close()
      for (const place of [folder, newFolder()]) {
        const next = await openHandler({ store, folder: place })
        expect(await next.send(pay('t1', '5', 'bank', 'a'))).deep.include({ replayed: true })
        expect(brief(await next.send(pay('t1', '5', 'bank', 'a')))).equal(
          brief(answer).replace('accepted', 'replayed'),
        )
        expect(brief(await next.send(pay('t1', '6', 'bank', 'a')))).equal('transaction-exists')
        expect(brief(await next.send(create, key('k1')))).equal('idempotency-key-reused')
      }
    })

    it('an index that is found damaged is made anew from the log, for every ledger', async () => {
      const { store, folder } = await newStore()
      const index = await openFileIdIndex({ folder: join(folder, 'ids'), logId: 'log-1' })
      let isDamaged = false
      const damageable: IdIndex = {
        ...index,
        find(fingerprints) {
          if (!isDamaged) return index.find(fingerprints)
          isDamaged = false
          return Promise.reject(new DamagedIdIndex('a block changed'))
        },
      }
      const { send, handler } = await openHandler({ store, folder, index: damageable })
      const sendOther = (command: LedgerCommand) =>
        handler.handle('other', {
          ...{ command, content: command, caller: 'anonymous' },
          deadline: Date.now() + 60_000,
        })
      for (const to of [send, sendOther]) {
        await to(create)
        await to(openBank)
        await to(pay('t1', '5', 'bank', 'a'))
      }
      isDamaged = true
      expect(brief(await send(pay('t1', '5', 'bank', 'a')))).match(/^replayed/)
      expect(brief(await sendOther(pay('t1', '5', 'bank', 'a')))).match(/^replayed/)
      expect(brief(await sendOther(pay('t1', '6', 'bank', 'a')))).equal('transaction-exists')
    })

    it('a log that shows less than it did is a failure, until it shows all again', async () => {
      const { store, folder } = await newStore()
      const index = await openFileIdIndex({ folder: join(folder, 'ids'), logId: 'log-1' })
      let shown: number | undefined
      const { send } = await openHandler({
        store: {
          ...store,
          readStream: (stream, range = {}) =>
            store.readStream(stream, shown === undefined ? range : { ...range, limit: shown }),
        },
        folder,
        index,
      })
      await send(create)
      await send(openBank)
      shown = 1
      await index.discard()
      const soon = () => ({ deadline: Date.now() + 3_000 })
      const failure = await failureOf(send(pay('t1', '5', 'bank', 'a'), soon()))
      expect(failure).include({ code: 'EVENT_STORE_UNAVAILABLE' })
      shown = undefined
      expect(brief(await send(pay('t1', '5', 'bank', 'a'), soon()))).match(/^accepted 3/)
    })

    it('a dry run decides and appends nothing', async () => {
      const { send, events } = await openHandler(await newStore())
      await send(create)
      expect(brief(await send(openBank, { dryRun: true }))).equal('accepted - AccountOpened')
      expect(await events()).lengthOf(1)
    })
  })

  describe('times', () => {
    it('recordedAt never goes back, whatever the clock does (C-21)', async () => {
      let now = Date.parse('2026-01-01T12:00:00.000Z')
      const { send, events } = await openHandler({ ...(await newStore()), clock: () => now })
      await send(create)
      now -= 3_600_000
      await send(openBank)
      now += 7_200_000
      await send(pay('t1', '1', 'bank', 'a'))
      const times = (await events()).map(({ metadata }) => JSON.parse(metadata).recordedAt)
      expect(times).deep.equal([
        '2026-01-01T12:00:00.000Z',
        '2026-01-01T12:00:00.000Z',
        '2026-01-01T13:00:00.000Z',
        '2026-01-01T13:00:00.000Z',
      ])
      expect(JSON.parse((await events()).at(-1)?.data ?? '').effectiveAt).equal(
        '2026-01-01T13:00:00.000Z',
      )
    })
  })

  describe('limits', () => {
    it('a command whose events exceed one append is refused', async () => {
      const { send } = await openHandler(await newStore())
      await send(create)
      await send(openBank)
      const long = 'a'.repeat(200)
      const postings = Array.from({ length: 1_000 }, (_, n) => ({
        amount: '1',
        asset: 'CZK/2',
        from: 'bank',
        to: `${long}:${long.slice(0, 50)}:${n}`,
      }))
      const command: LedgerCommand = { type: 'PostTransaction', id: 't1', postings }
      const outcome = await send(command, { idempotencyKey: long })
      expect(brief(outcome)).equal('command-too-large')
    })

    it('what waits is limited by its bytes too; single commands are taken longer', async () => {
      const { store, folder } = await newStore()
      const slow = faultyStore(store)
      const { send, handler } = await openHandler({ store: slow, folder })
      await send(create)
      const letThrough = holdAppends(slow)
      const content = { of: 'x'.repeat(1_000_000) }
      const sent: Promise<string>[] = []
      const sendNext = () => sent.push(send(create, { content }).then(brief, ({ code }) => code))
      while (handler.room() === undefined) sendNext()
      expect(handler.stats().waitingBytes).within(manyWaitingBytes, manyWaitingBytes + 1_000_100)
      for (let n = 0; n < 20; n += 1) sendNext()
      expect(handler.stats().waitingBytes).within(maxWaitingBytes - 1_000_100, maxWaitingBytes)
      const room = handler.room()
      letThrough()
      await room
      const answers = await Promise.all(sent)
      expect(answers.filter((text) => text === 'accepted 0')).lengthOf(67)
      expect(answers.filter((text) => text === 'OVERLOADED')).lengthOf(answers.length - 67)
      expect(handler.stats()).include({ waitingCommands: 0, waitingBytes: 0 })
    })

    it('a ledger that is not used gives its memory back and is folded again when it is', async () => {
      const { store, folder } = await newStore()
      const subject = await openHandler({ store, folder, maxHotBytes: 1 })
      await subject.send(create)
      await subject.send(openBank)
      await eventually(() => subject.handler.stats().hotStreams === 0, 'the ledger was let go')
      expect(brief(await subject.send(pay('t1', '1', 'bank', 'a')))).match(/^accepted 3/)
      expect(subject.troubles).deep.equal([])
    })
  })

  describe('stopping', () => {
    it('waits for what is saved beside the commands, and does not save it again', async () => {
      const { store, folder } = await newStore()
      const index = await openFileIdIndex({ folder: join(folder, 'ids'), logId: 'log-1' })
      const gate = Promise.withResolvers<void>()
      let saves = 0
      const slow: IdIndex = {
        ...index,
        async save() {
          saves += 1
          await gate.promise
          await index.save()
        },
      }
      const { send, handler } = await openHandler({ store, folder, index: slow, maxHotBytes: 1 })
      await send(create)
      await send(openBank)
      await eventually(() => saves === 1, 'the ledger is saved, to let go of it')
      const closing = handler.close()
      for (let turn = 0; turn < 10; turn += 1) await nextTurn()
      gate.resolve()
      await closing
      expect(saves).equal(1)
    })

    it('answers what it accepted, refuses what is new, then closes', async () => {
      const { store, folder } = await newStore()
      const slow = faultyStore(store)
      const { send, handler } = await openHandler({ store: slow, folder })
      await send(create)
      const letThrough = holdAppends(slow)
      const accepted = send(openBank)
      await eventually(() => slow.appends.length === 2, 'it is under way')
      const closing = handler.close()
      expect(await failureOf(send(pay('t1', '1', 'bank', 'a')))).include({ code: 'OVERLOADED' })
      letThrough()
      expect(brief(await accepted)).equal('accepted 1 AccountOpened')
      await closing
    })
  })
})
