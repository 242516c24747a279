import { randomUUID as newId } from 'node:crypto'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openSqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import type { Verification } from '../../app/verify/verification.ts'
import { skipEvent } from '../../projections/skip-event.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { appendTo, recordedTransaction } from './recorded-transaction.ts'
import {
  type Answering,
  type Ended,
  ended,
  evident,
  feed,
  serveFolder,
  startCli,
} from './terminal-under-test.ts'

/** From an account that was never opened: no statement can show it. */
const unusable = (id: string) => recordedTransaction({ from: 'nobody', amount: '5', id })
const usable = (id: string) => recordedTransaction({ from: 'bank', amount: '7', id })

describe('evident parked', () => {
  const folder = temporaryFolder()
  const parked = join(folder, 'parked')
  before(async () => {
    const { url, stop } = await serveFolder(parked)
    await feed(url, 20) // revisions 0 to 23
    await stop()
    await appendTo(parked, unusable('x24'), usable('x25'), unusable('x26'), usable('x27'))
  })

  /** The same on a folder and on its server: where to work, and how to let it go. */
  const places = {
    'on a folder': async (data: string) => ({ at: ['--data', data], stop: async () => 0 }),
    'on a running server': async (data: string) => {
      const { url, stop } = await serveFolder(data)
      return { at: ['--url', url], stop }
    },
  }

  for (const [where, open] of Object.entries(places)) {
    describe(where, () => {
      const data = join(folder, where.replaceAll(' ', '-'))
      let place: Awaited<ReturnType<typeof open>>
      before(async () => {
        cpSync(parked, data, { recursive: true })
        place = await open(data)
      })
      after(() => place.stop())

      const run = (args: readonly string[], answer?: Answering): Promise<Ended> =>
        ended(startCli([...args, ...place.at], {}, answer))
      const skip = (projection: string, stream: string, revision: string, ...more: string[]) =>
        run(['parked', 'skip', projection, stream, revision, '--reason', 'incident 204', ...more])
      const skips = async () => {
        const { out } = await run(['replay', '--stream', 'control-projections'])
        return out
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => (JSON.parse(line) as { readonly data: unknown }).data)
      }

      it('lists where a stream waits, and why', async () => {
        const { exitCode, out } = await run(['parked', 'list'])
        expect(exitCode).equal(1)
        expect(out).equal('accounts-v1  ledger-main@24  account nobody was never opened\n')
      })

      const refused: readonly (readonly [string, readonly [string, string, string], RegExp])[] = [
        [
          'projection',
          ['nothing', 'ledger-main', '24'],
          /no projection nothing: there are ledgers/,
        ],
        ['stream', ['accounts', 'ledger-x', '24'], /ledger-x is not parked in accounts/],
        ['projection of the stream', ['ledgers', 'ledger-main', '24'], /not parked in ledgers/],
        [
          'revision',
          ['accounts', 'ledger-main', '25'],
          /waits at revision 24 in accounts, not at 25/,
        ],
        ['number', ['accounts', 'ledger-main', 'x'], /expected a whole number/],
      ]
      for (const [what, args, expected] of refused) {
        it(`refuses the wrong ${what}, and logs nothing`, async () => {
          const { exitCode, err } = await skip(...args, '--yes')
          expect(err).match(expected)
          expect(exitCode).equal(2)
          expect(await skips()).deep.equal([])
        })
      }

      it('asks first, and takes a no', async () => {
        let asked = ''
        const args = ['parked', 'skip', 'accounts', 'ledger-main', '24', '--reason', 'why']
        const { exitCode, err } = await run(args, (question) => {
          asked = question
          return false
        })
        expect(asked)
          .contain('ledger-main@24 could not be applied: account nobody was never opened')
          .and.contain('accounts-v1 will leave it out for good')
        expect(exitCode).equal(75)
        expect(err).equal('evident: Nothing was skipped.\n')
        expect(await skips()).deep.equal([])
      })

      it('skips nothing unasked where there is no terminal', async () => {
        const { exitCode, err } = await skip('accounts', 'ledger-main', '24')
        expect(exitCode).equal(2)
        expect(err).contain('give --yes')
        expect(await skips()).deep.equal([])
      })

      it('skips the event, and says where the stream waits next', async () => {
        const { exitCode, out } = await skip('accounts', 'ledger-main', '24', '--yes')
        expect(out).equal(
          'ledger-main@24 is left out of accounts-v1; the stream waits again at revision 26: ' +
            'account nobody was never opened.\n',
        )
        expect(exitCode).equal(1)
        expect(await skips()).deep.equal([
          {
            ...{ by: 'anonymous', projection: 'accounts-v1', reason: 'incident 204' },
            ...{ revision: '24', stream: 'ledger-main' },
          },
        ])
      })

      it('lets the stream flow when nothing is in its way any more', async () => {
        const { exitCode, out } = await run(
          ['parked', 'skip', 'accounts', 'ledger-main', '26', '--reason', 'too', '--json'],
          () => true,
        )
        expect(JSON.parse(out)).include({ projection: 'accounts', revision: '26', flows: true })
        expect(exitCode).equal(0)
        expect(await run(['parked', 'list'])).include({ exitCode: 0 })
        expect((await run(['status'])).out).match(/accounts-v1.*incomplete/)
      })

      it('has nothing to skip then', async () => {
        const { exitCode, err } = await skip('accounts', 'ledger-main', '26', '--yes')
        expect(exitCode).equal(2)
        expect(err).contain('is not parked')
        expect(await skips()).length(2)
      })

      it('rebuilds to the same, without what was skipped', async () => {
        expect(await run(['rebuild', 'accounts'])).include({ exitCode: 0 })
        const { out } = await run(['status'])
        expect(out).match(/accounts-v1\.2 .* 0 .*incomplete/)
      })

      it('verifies the read models as they were decided to be', async () => {
        const { exitCode, out } = await run(['verify', '--json'])
        const { listed, skipped } = JSON.parse(out) as Verification
        expect(skipped).equal(2)
        // What no command made stays a finding of the log; the views obey the decision.
        expect(listed.map(({ check, at }) => `${check} ${at}`)).deep.equal([
          ...['lawful ledger-main@24', 'lawful ledger-main@26'],
        ])
        expect(exitCode).equal(1)
        expect((await run(['verify'])).out).contain('by an operator’s decision: 2 events')
      })
    })
  }

  it('obeys a decision that was logged before the process was killed, and logs it once', async () => {
    const data = join(folder, 'decided')
    cpSync(parked, data, { recursive: true })
    expect(await evident('parked', 'list', '--data', data)).include({ exitCode: 1 })
    const store = await openSqliteEventStore({ path: join(data, 'events.db') })
    for (const revision of ['24', '26']) {
      const decision = { projection: 'accounts-v1', stream: 'ledger-main', revision }
      const now = '2099-01-01T00:00:00.000Z'
      await skipEvent(store, { ...decision, by: 'anonymous', reason: 'x' }, { newId, now })
    }
    await store.close()
    const verified = await evident('verify', '--data', data, '--json')
    const { listed } = JSON.parse(verified.out) as Verification
    expect(listed.map(({ check }) => check)).deep.equal(['lawful', 'lawful'])

    const args = ['accounts', 'ledger-main', '24', '--reason', 'again', '--yes', '--data', data]
    const { exitCode, out } = await evident('parked', 'skip', ...args)
    expect(out).contain('the stream flows again')
    expect(exitCode).equal(0)
    const control = await evident('replay', '--stream', 'control-projections', '--data', data)
    expect(control.out.trim().split('\n')).length(2)
  })

  it('finds a stream that waits, when it verifies', async () => {
    const { exitCode, out } = await ended(startCli(['verify', '--data', parked, '--json']))
    const { listed } = JSON.parse(out) as Verification
    expect(exitCode).equal(1)
    expect(listed).deep.include({
      ...{ check: 'parked', at: 'accounts-v1.1' },
      detail: 'ledger-main waits at revision 24: account nobody was never opened',
    })
  })

  it('is refused over HTTP by codes of its own', async () => {
    const data = join(folder, 'refused')
    cpSync(parked, data, { recursive: true })
    const { url, stop } = await serveFolder(data)
    const skip = async (path: string, body: object) => {
      const answer = await fetch(new URL(`/projections/${path}/skip`, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return { status: answer.status, ...((await answer.json()) as object) }
    }
    const decision = { reason: 'why', revision: '24' }
    const of = 'accounts/parked/ledger-main'
    expect(await skip('x/parked/ledger-main', decision)).include({ code: 'projection-not-found' })
    expect(await skip('accounts/parked/ledger-x', decision)).include({
      ...{ status: 409, code: 'stream-not-parked' },
    })
    expect(await skip(of, { ...decision, revision: '25' })).include({
      ...{ status: 409, code: 'event-not-parked', waitsAt: '24' },
    })
    expect(await skip(of, { ...decision, reason: '' })).include({ status: 400 })
    expect(await skip(of, { ...decision, reason: 'x'.repeat(1_025) })).include({ status: 400 })
    expect(await skip(of, decision)).nested.include({ flows: false, 'parked.revision': '26' })
    await stop()
  })

  describe('afterwards', () => {
    it('shows what the views have of the stream after a skip', async () => {
      const { url, stop } = await serveFolder(join(folder, 'on-a-folder'))
      const read = await fetch(new URL('/ledgers/main/accounts/bob?min-revision=27', url))
      expect(await read.json()).nested.property('balances.CZK/2.balance', `${20 * 40 + 2 * 7}`)
      await stop()
    })
  })
})
