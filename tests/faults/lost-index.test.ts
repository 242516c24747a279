import { join } from 'node:path'
import { expect } from 'chai'
import { openFileIdIndex } from '../../command-service/file-id-index.ts'
import { DamagedIdIndex, type IdIndex } from '../../command-service/id-index.ts'
import type { EventStore } from '../../events/event-store.ts'
import { faultyStore } from '../command-service/faulty-store.ts'
import {
  brief,
  create,
  openBank,
  openHandler,
  openStore,
  pay,
} from '../command-service/ledger-under-test.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** An index that can be found damaged by the next look into it. */
async function damageable(folder: string) {
  const index = await openFileIdIndex({ folder, logId: 'log-1' })
  const state = { isDamaged: false }
  const subject: IdIndex = {
    ...index,
    get generation() {
      return index.generation
    },
    find(fingerprints) {
      if (!state.isDamaged) return index.find(fingerprints)
      state.isDamaged = false
      return Promise.reject(new DamagedIdIndex('a block changed'))
    },
  }
  return { index: subject, state }
}

describe('an id index that one ledger throws away while another is busy (decision 9)', () => {
  const root = temporaryFolder()
  let cases = 0
  let store: EventStore

  afterEach(() => store.close())

  const open = async () => {
    const folder = join(root, `case-${++cases}`)
    store = await openStore(folder)
    const faulty = faultyStore(store)
    const { index, state } = await damageable(join(folder, 'ids'))
    const subject = await openHandler({ store: faulty, folder, index })
    const sendOther = (command: Parameters<typeof subject.send>[0]) =>
      subject.handler.handle('other', {
        ...{ command, content: command, caller: 'anonymous' },
        deadline: Date.now() + 60_000,
      })
    for (const send of [subject.send, sendOther]) {
      await send(create)
      await send(openBank)
      await send(pay('t1', '5', 'bank', 'a'))
    }
    return { ...subject, faulty, state, sendOther, folder, index }
  }

  it('during its append: it remembers what it did before', async () => {
    const { send, sendOther, faulty, state, handler } = await open()
    const gate = Promise.withResolvers<void>()
    faulty.intercept = async (append, [stream]) => {
      if (stream === 'ledger-other') await gate.promise
      return append()
    }
    const before = faulty.appends.length
    const underWay = sendOther(pay('t2', '5', 'bank', 'a'))
    await eventually(() => faulty.appends.length > before, 'the append is under way')
    state.isDamaged = true
    expect(brief(await send(pay('t1', '5', 'bank', 'a')))).match(/^replayed/)
    gate.resolve()
    expect(brief(await underWay)).match(/^accepted/)
    expect(brief(await sendOther(pay('t1', '5', 'bank', 'a')))).match(/^replayed/)
    expect(brief(await sendOther(pay('t2', '5', 'bank', 'a')))).match(/^replayed/)
    await handler.close()
  })

  it('while it is folded: it remembers what was read before', async () => {
    const { state, handler, faulty, folder, index } = await open()
    const gate = Promise.withResolvers<void>()
    let isReading = false
    const slow = {
      ...faulty,
      async *readStream(...given: Parameters<typeof store.readStream>) {
        for await (const events of store.readStream(...given)) {
          isReading = true
          if (given[0] === 'ledger-other') await gate.promise
          yield events
        }
      },
    }
    await handler.close()
    await index.discard() // so that all of it is read
    const next = await openHandler({ store: slow, folder: join(folder, 'next'), index })
    const underWay = next.handler.handle('other', {
      ...{ command: pay('t2', '5', 'bank', 'a'), content: 't2', caller: 'anonymous' },
      deadline: Date.now() + 60_000,
    })
    await eventually(() => isReading, 'it is being folded')
    state.isDamaged = true
    await next.send(pay('t1', '5', 'bank', 'a'))
    gate.resolve()
    expect(brief(await underWay)).match(/^accepted/)
    const again = await next.handler.handle('other', {
      ...{ command: pay('t1', '5', 'bank', 'a'), content: pay('t1', '5', 'bank', 'a') },
      ...{ caller: 'anonymous', deadline: Date.now() + 60_000 },
    })
    expect(brief(again)).match(/^replayed/)
    await next.handler.close()
  })
})
