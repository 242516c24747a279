import { expect } from 'chai'
import { StreamUnavailable } from '../../command-service/command.ts'
import { DamagedLog, type EventStore } from '../../events/event-store.ts'
import type { Operation } from '../../platform/http/operation.ts'
import { Problem } from '../../platform/http/problem.ts'
import { ReadModelsDamaged } from '../../projections/read-model-store.ts'
import { queryOperations } from '../../query-service/query-operations.ts'
import {
  brief,
  create,
  openBank,
  openHandler,
  openStore,
  pay,
} from '../command-service/ledger-under-test.ts'
import { failureOf } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

/** Shows the store as it is, but for one event that is damaged from some moment on. */
function damagedAt(store: EventStore, revision: bigint) {
  const state = { isDamaged: false }
  const damaged: EventStore = {
    ...store,
    async *readStream(stream, range) {
      for await (const events of store.readStream(stream, range)) {
        const isIn = events.some((event) => event.revision === revision)
        if (state.isDamaged && isIn) throw new DamagedLog(`${stream}@${revision}: changed`)
        yield events
      }
    },
  }
  return { damaged, state }
}

describe('damage that is met while serving (C-20)', () => {
  const folder = temporaryFolder()
  let store: EventStore

  beforeEach(async () => {
    store = await openStore(folder)
  })
  afterEach(() => store.close())

  it('in an event that a command asks for: the ledger is put off by name, others go on', async () => {
    const { damaged, state } = damagedAt(store, 3n)
    const { send, handler } = await openHandler({ store: damaged, folder })
    await send(create)
    await send(openBank)
    await send(pay('t1', '5', 'bank', 'a'))
    state.isDamaged = true
    const error = await failureOf(send(pay('t1', '5', 'bank', 'a')))
    expect(error).instanceOf(StreamUnavailable)
    expect(error.message).contain('ledger-demo@3')
    expect(brief(await send(pay('t2', '5', 'bank', 'a')))).match(/^accepted/)
    state.isDamaged = false
    await handler.close()
  })

  it('in the log or a read model: a read is put off with 503, never 500', async () => {
    const damages = [
      [new DamagedLog('ledger-a@3'), 'log-unavailable'],
      [new ReadModelsDamaged('accounts-v1.1.db'), 'read-models-unavailable'],
    ] as const
    for (const [damage, code] of damages) {
      const fail = () => Promise.reject(damage)
      const failing: Operation = {
        ...{ method: 'GET', path: '/failing', id: 'fail', summary: '', tag: 'service' },
        ...{ answers: {}, handle: fail },
      }
      const [wrapped] = queryOperations({
        readModels: { liveBuild: fail, openBuild: fail, changed: fail, changeCount: () => 0 },
        store,
        status: fail,
        domains: [() => [failing]],
      })
      const call = { params: {}, query: {}, body: undefined, request: undefined as never }
      const error = await failureOf(Promise.resolve(wrapped?.handle(call)))
      expect(error).instanceOf(Problem)
      expect(error).include({ code })
    }
  })
})
