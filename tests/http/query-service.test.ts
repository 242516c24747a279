import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { accounts } from '../../projections/accounts.ts'
import { maxPageBytes } from '../../query-service/routes/log.ts'
import { eventually } from '../eventually.ts'
import { created, opened, posted, posting, timeAt } from '../projections/bank.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { jsonOf } from './edge-fixture.ts'
import { openQueryService, type QueryService } from './query-fixture.ts'

const day = 86_400

describe('query service', () => {
  const folder = temporaryFolder()
  let service: QueryService
  const get = (path: string, headers: Record<string, string> = {}) => service.get(path, headers)
  const read = (path: string) => jsonOf(get(path))

  /** All items of a list, page by page, and how many pages there were. */
  async function walk(path: string, limit: number, between = async () => {}) {
    const items: Record<string, unknown>[] = []
    let pages = 0
    let cursor = ''
    for (;;) {
      const answer = await get(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor}`)
      expect(answer.status, await answer.clone().text()).equal(200)
      const page = await jsonOf(answer)
      items.push(...(page.items as Record<string, unknown>[]))
      pages += 1
      if (page.next === undefined) return { items, pages }
      cursor = `&cursor=${page.next}`
      await between()
    }
  }

  async function expectProblem(path: string, status: number, code: string, headers = {}) {
    const answer = await get(path, headers)
    const body = await jsonOf(answer)
    expect(body, path).include({ code, status })
    return answer
  }

  before(async () => {
    service = await openQueryService(join(folder, 'bank'))
    const { bank, goLive, project } = service
    await bank.record('main', [
      created,
      opened('bank:cash', { kind: 'bank' }),
      opened('customers:1', { kind: 'person', country: 'cz' }),
      opened('customers:10', { kind: 'person', country: 'sk' }),
      opened('customers:2', { kind: 'person', country: 'cz' }),
      posted('t-1', [posting('bank:cash', 'customers:1', 1000)], {
        reference: 'r-1',
        effectiveAt: timeAt(0),
        metadata: { channel: 'card', shop: 'a' },
      }),
      posted('t-2', [posting('customers:1', 'customers:2', 300)], {
        effectiveAt: timeAt(3 * day),
        metadata: { channel: 'card', shop: 'b' },
      }),
      posted(
        't-3',
        [posting('bank:cash', 'customers:1', 50), posting('bank:cash', 'customers:10', 7, 'EUR/2')],
        {
          reference: 'r-1',
          effectiveAt: timeAt(1 * day),
        },
      ),
    ])
    await bank.record('second', [created])
    await goLive()
    await project()
  })
  after(() => service.close())

  describe('one document', () => {
    it('is answered as it is stored, with revision and age', async () => {
      const answer = await get('/ledgers/main/accounts/customers:1')
      expect(answer.status).equal(200)
      expect(answer.headers.get('evident-revision')).equal('7')
      expect(Number(answer.headers.get('evident-age-ms'))).within(0, 60_000)
      const body = await jsonOf(answer)
      expect(body).deep.include({ ledger: 'main', account: 'customers:1', status: 'open' })
      expect(body.balances).deep.equal({
        'CZK/2': {
          ...{ balance: '750', available: '750', held: '0', in: '1050', out: '300', count: 3 },
          ...{ changedAt: timeAt(7), changedRevision: '7' },
        },
      })
    })
    it('has a strong ETag by which it is not sent again (304)', async () => {
      for (const path of [
        '/ledgers/main',
        '/ledgers/main/accounts/customers:2',
        '/ledgers/main/transactions/t-1',
      ]) {
        const etag = (await get(path)).headers.get('etag') ?? ''
        expect(etag).match(/^"[a-z]+-v1\.1\.\d+"$/)
        for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
          const answer = await get(path, { 'if-none-match': known })
          expect([answer.status, await answer.text()]).deep.equal([304, ''])
          expect(answer.headers.get('etag')).equal(etag)
          expect(answer.headers.get('evident-revision')).equal('7')
        }
        expect((await get(path, { 'if-none-match': '"x"' })).status).equal(200)
      }
    })
    it('shows an account right after an earlier revision', async () => {
      const at = async (revision: number) =>
        (await read(`/ledgers/main/accounts/customers:1?at=${revision}`)).balances
      expect(await at(2)).deep.equal({})
      expect(await at(5)).deep.equal({ 'CZK/2': { balance: '1000' } })
      expect(await at(6)).deep.equal({ 'CZK/2': { balance: '700' } })
      expect(await at(7)).deep.equal({ 'CZK/2': { balance: '750' } })
      await expectProblem('/ledgers/main/accounts/customers:1?at=1', 404, 'account-not-found')
      await expectProblem('/ledgers/main/accounts/customers:1?at=8', 404, 'revision-ahead')
    })
    it('that is not there is 404 with what is missing, and the revision it is missing at', async () => {
      await expectProblem('/ledgers/none', 404, 'ledger-not-found')
      await expectProblem('/ledgers/none/accounts/a', 404, 'ledger-not-found')
      await expectProblem('/ledgers/none/accounts', 404, 'ledger-not-found')
      await expectProblem('/ledgers/none/transactions/t', 404, 'ledger-not-found')
      await expectProblem('/ledgers/main/transactions/t', 404, 'transaction-not-found')
      await expectProblem('/ledgers/main/accounts/a/entries', 404, 'account-not-found')
      const answer = await expectProblem('/ledgers/main/accounts/a', 404, 'account-not-found')
      expect(answer.headers.get('evident-revision')).equal('7')
    })
  })

  describe('lists', () => {
    const named = async (path: string, field: string) =>
      (await walk(path, 2)).items.map((item) => item[field])
    it('ledgers by id', async () => {
      expect(await named('/ledgers', 'ledger')).deep.equal(['main', 'second'])
    })
    const accountLists: readonly [string, readonly string[]][] = [
      ['', ['bank:cash', 'customers:1', 'customers:10', 'customers:2']],
      ['?prefix=customers:', ['customers:1', 'customers:10', 'customers:2']],
      ['?prefix=customers:1', ['customers:1', 'customers:10']],
      ['?asset=EUR/2', ['bank:cash', 'customers:10']],
      ['?asset=EUR/2&prefix=customers', ['customers:10']],
      ['?status=open&prefix=bank', ['bank:cash']],
      ['?metadata.kind=person', ['customers:1', 'customers:10', 'customers:2']],
      ['?metadata.kind=person&metadata.country=cz', ['customers:1', 'customers:2']],
      ['?metadata.kind=person&asset=EUR/2', ['customers:10']],
      ['?metadata.kind=none', []],
    ]
    for (const [query, expected] of accountLists) {
      it(`accounts ${query || 'by address'}`, async () => {
        expect(await named(`/ledgers/main/accounts${query}`, 'account')).deep.equal(expected)
      })
    }
    const transactionLists: readonly [string, readonly string[]][] = [
      ['', ['t-3', 't-2', 't-1']],
      ['?order=oldest', ['t-1', 't-2', 't-3']],
      ['?account=customers:1', ['t-3', 't-2', 't-1']],
      ['?account=customers:10', ['t-3']],
      ['?reference=r-1', ['t-3', 't-1']],
      ['?reference=r-1&account=customers:10', ['t-3']],
      ['?metadata.channel=card', ['t-2', 't-1']],
      ['?metadata.channel=card&metadata.shop=b', ['t-2']],
      [`?from=${timeAt(day).slice(0, 10)}`, ['t-2', 't-3']],
      [`?from=${timeAt(day)}&to=${timeAt(3 * day)}`, ['t-3']],
      [`?to=${timeAt(3 * day)}`, ['t-3', 't-1']],
      [`?account=customers:1&from=${timeAt(day)}`, ['t-3', 't-2']],
      [`?account=customers:1&to=${timeAt(2 * day)}`, ['t-3', 't-1']],
    ]
    for (const [query, expected] of transactionLists) {
      it(`transactions ${query || 'newest first'}`, async () => {
        expect(await named(`/ledgers/main/transactions${query}`, 'id')).deep.equal(expected)
        expect(
          (await walk(`/ledgers/main/transactions${query}`, 1)).items.map(({ id }) => id),
        ).deep.equal(expected)
      })
    }
    it('entries with the running balance, newest first', async () => {
      const path = '/ledgers/main/accounts/customers:1/entries'
      expect(await named(path, 'balance')).deep.equal(['750', '700', '1000'])
      expect(await named(`${path}?order=oldest`, 'change')).deep.equal(['1000', '-300', '50'])
    })
    it('say the revision of what they show', async () => {
      const answer = await get('/ledgers/main/transactions')
      expect(answer.headers.get('evident-revision')).equal('7')
      expect((await get('/ledgers')).headers.get('evident-age-ms')).match(/^\d+$/)
    })
  })

  describe('totals', () => {
    it('are zero at every revision', async () => {
      for (let at = 5; at <= 7; at += 1) {
        const body = await read(`/ledgers/main/trial-balance?at=${at}`)
        const total = body.total as Record<string, { sum: string }>
        expect(body.revision).equal(String(at))
        for (const { sum } of Object.values(total)) expect(sum).equal('0')
      }
      const { total, byPrefix } = await read('/ledgers/main/trial-balance?depth=1')
      expect(total).deep.equal({
        'CZK/2': { positive: '1050', negative: '-1050', sum: '0', accounts: 3 },
        'EUR/2': { positive: '7', negative: '-7', sum: '0', accounts: 2 },
      })
      expect(byPrefix).deep.include.keys('bank', 'customers')
      await expectProblem('/ledgers/main/trial-balance?at=8', 404, 'revision-ahead')
    })
    it('by day of effective time', async () => {
      const { days } = await read(`/ledgers/main/volumes?prefix=customers:1`)
      expect(days).deep.equal([
        { day: timeAt(0).slice(0, 10), asset: 'CZK/2', in: '1000', out: '0', count: 1 },
        { day: timeAt(day).slice(0, 10), asset: 'CZK/2', in: '50', out: '0', count: 1 },
        { day: timeAt(day).slice(0, 10), asset: 'EUR/2', in: '7', out: '0', count: 1 },
        { day: timeAt(3 * day).slice(0, 10), asset: 'CZK/2', in: '0', out: '300', count: 1 },
      ])
      const from = timeAt(day).slice(0, 10)
      const some = await read(
        `/ledgers/main/volumes?prefix=customers:1&from=${from}&to=${timeAt(2 * day).slice(0, 10)}`,
      )
      expect(some.days).length(2)
    })
  })

  describe('the log', () => {
    it('of one stream, in both orders, as it is stored', async () => {
      const answer = await get('/streams/ledger-main?limit=1')
      expect(answer.headers.get('evident-revision')).equal('7')
      const [first] = (await jsonOf(answer)).items as Record<string, unknown>[]
      const [recorded] = await service.bank.readStream('ledger-main')
      expect(first).deep.include({
        stream: 'ledger-main',
        revision: '0',
        type: 'LedgerCreated',
        id: recorded?.id,
      })
      expect(JSON.stringify(first?.data)).equal(recorded?.data)
      const revisions = async (path: string, limit: number) =>
        (await walk(path, limit)).items.map(({ revision }) => Number(revision))
      const up = [0, 1, 2, 3, 4, 5, 6, 7]
      for (const limit of [1, 3, 8, 9]) {
        expect(await revisions('/streams/ledger-main', limit)).deep.equal(up)
        expect(await revisions('/streams/ledger-main?order=newest', limit)).deep.equal(
          up.toReversed(),
        )
      }
      await expectProblem('/streams/ledger-none', 404, 'stream-not-found')
    })
    it('of all streams, by type, stream and position', async () => {
      const everything = (await walk('/events', 3)).items
      const positions = everything.map(({ position }) => String(position))
      expect(positions).deep.equal(positions.toSorted())
      expect(everything).length(10)
      expect((await walk('/events?order=newest', 3)).items).deep.equal(everything.toReversed())
      expect((await walk('/events?type=TransactionPosted', 2)).items).length(3)
      expect((await walk('/events?stream=ledger-second', 2)).items).length(1)
      expect(
        (await walk('/events?stream=ledger-main&type=AccountOpened&order=newest', 3)).items,
      ).length(4)
      const window = `after=${positions[2]}&before=${positions[6]}`
      for (const order of ['oldest', 'newest']) {
        const found = (await walk(`/events?${window}&order=${order}`, 2)).items
        expect(found.map(({ position }) => position).toSorted()).deep.equal(positions.slice(3, 6))
      }
      expect((await walk(`/events?stream=ledger-main&${window}`, 2)).items).length(3)
    })
    it('and ends at the bound, with no page for what lies beyond it', async () => {
      const positions = (await walk('/events', 100)).items.map(({ position }) => position)
      const window = `after=${positions[2]}&before=${positions[6]}`
      for (const query of [window, `stream=ledger-main&${window}`, `type=None&${window}`]) {
        for (const order of ['oldest', 'newest']) {
          expect((await walk(`/events?${query}&order=${order}`, 3)).pages, query).equal(1)
        }
      }
    })
    it('page by page of bounded bytes, however large its events are (maxPageBytes)', async () => {
      const other = await openQueryService(join(folder, 'large'))
      const text = 'x'.repeat(800_000)
      for (let revision = 0; revision < 12; revision += 1) {
        const data = JSON.stringify({ text })
        const expected = revision === 0 ? 'no-stream' : BigInt(revision - 1)
        await other.bank.store.append('ledger-large', expected, [
          { id: randomUUID(), type: 'TransactionPosted', data, metadata: '{}' },
        ])
      }
      const lists = ['/streams/ledger-large?', '/events?', '/events?stream=ledger-large&']
      for (const list of lists.flatMap((one) => [one, `${one}order=newest&`])) {
        const lengths: number[] = []
        const revisions: number[] = []
        let cursor = ''
        do {
          const answer = await (await other.get(`${list}limit=1000${cursor}`)).text()
          const { items, next } = JSON.parse(answer) as {
            items: { stream: string; revision: string }[]
            next?: string
          }
          lengths.push(answer.length)
          const large = items.filter(({ stream }) => stream === 'ledger-large')
          revisions.push(...large.map(({ revision }) => Number(revision)))
          cursor = next === undefined ? '' : `&cursor=${next}`
        } while (cursor !== '')
        const up = Array.from({ length: 12 }, (_, n) => n)
        expect(revisions, list).deep.equal(list.includes('newest') ? up.toReversed() : up)
        expect(lengths.length, list).equal(3)
        expect(Math.max(...lengths), list).most(maxPageBytes + 10_000)
      }
      await other.close()
    })
    it('and the state of the projections', async () => {
      expect((await read('/status')).projections).length(3)
    })
  })

  describe('cursors', () => {
    const list = '/ledgers/main/transactions'
    const cursorOf = async (path: string) => String((await read(path)).next)
    it('stay right while rows are added', async () => {
      let added = 0
      const { items } = await walk(`/ledgers/main/transactions?account=bank:cash`, 1, async () => {
        added += 1
        await service.bank.record('second', [opened(`a:${added}`), opened(`b:${added}`)])
        await service.project()
      })
      expect(items.map(({ id }) => id)).deep.equal(['t-3', 't-1'])
      const names = await walk('/ledgers/second/accounts', 1, async () => {
        if (added > 4) return
        added += 1
        await service.bank.record('second', [opened(`0:${added}`), opened(`z:${added}`)])
        await service.project()
      })
      const seen = names.items.map(({ account }) => String(account))
      expect(seen, 'nothing twice, in order').deep.equal([...new Set(seen)].toSorted())
      expect(seen).include.members(['a:1', 'b:1', `z:${added}`])
    })
    it('of another list, order or filter are refused, and made-up ones', async () => {
      const cursor = await cursorOf(`${list}?limit=1`)
      const foreign = [
        `/ledgers/second/transactions?cursor=${cursor}`,
        `/ledgers/main/accounts?cursor=${cursor}`,
        `${list}?order=oldest&cursor=${cursor}`,
        `${list}?account=bank:cash&cursor=${cursor}`,
        `/events?cursor=${cursor}`,
        `/streams/ledger-main?cursor=${cursor}`,
      ]
      for (const path of foreign) await expectProblem(path, 400, 'invalid-cursor')
      const text = Buffer.from(cursor, 'base64url').toString()
      const made = [
        'x',
        '!',
        `${cursor}A`,
        cursor.slice(0, -1),
        Buffer.from('null').toString('base64url'),
        Buffer.from(text.replace('"after":[', '"after":[1,')).toString('base64url'),
        Buffer.from(text.replace('"after":[', '"after":["x",')).toString('base64url'),
        Buffer.from(` ${text}`).toString('base64url'),
        'A'.repeat(5_000),
      ]
      for (const one of made) await expectProblem(`${list}?cursor=${one}`, 400, 'invalid-cursor')
    })
    it('are the same after a rebuild', async () => {
      const before = await cursorOf(`${list}?limit=1`)
      await service.goLive(2)
      await service.project()
      for (const path of ['', '/accounts/bank:cash', '/transactions/t-1']) {
        const etag = async () => (await get(`/ledgers/main${path}`)).headers.get('etag')
        await eventually(async () => /v1\.2/.test(`${await etag()}`), 'the new build is read')
      }
      expect(await cursorOf(`${list}?limit=1`)).equal(before)
      expect((await read(`${list}?limit=1&cursor=${before}`)).items).length(1)
    })
  })

  describe('freshness', () => {
    it('waits for the revision and then shows it', async () => {
      const { bank, project } = service
      const [event] = await bank.record('main', [
        posted('t-4', [posting('bank:cash', 'customers:1', 1)]),
      ])
      const path = `/ledgers/main/accounts/customers:1?min-revision=${event?.revision}`
      const waiting = get(path)
      await project()
      const answer = await waiting
      expect(answer.status).equal(200)
      expect(answer.headers.get('evident-revision')).equal(String(event?.revision))
      expect((await jsonOf(answer)).balances).nested.include({ 'CZK/2.balance': '751' })
    })
    it('says view-late when the time is over, with what it does show', async () => {
      for (const path of [
        '/ledgers/main',
        '/ledgers/main/accounts',
        '/ledgers/main/transactions/t-4',
      ]) {
        const answer = await expectProblem(`${path}?min-revision=1000`, 503, 'view-late', {
          prefer: 'wait=0',
        })
        expect(answer.headers.get('retry-after')).equal('1')
        expect(answer.headers.get('evident-revision')).equal('8')
      }
    })
    it('says view-parked where the stream stands still before it', async () => {
      const { bank, project } = service
      await bank.record('broken', [created, posted('t', [posting('a', 'b', 1)])])
      await project()
      expect((await get('/ledgers/broken/accounts?min-revision=0')).status).equal(200)
      await expectProblem('/ledgers/broken/accounts?min-revision=1', 503, 'view-parked', {
        prefer: 'wait=0',
      })
    })
    it('refuses a time that is none or too long', async () => {
      for (const prefer of ['wait=31', 'wait=x', 'wait', 'wait=-1']) {
        await expectProblem('/ledgers/main?min-revision=9999', 400, 'invalid-wait', { prefer })
      }
    })
    it('is refused on lists over several streams', async () => {
      await expectProblem('/ledgers?min-revision=1', 400, 'unknown-parameter')
      await expectProblem('/events?min-revision=1', 400, 'unknown-parameter')
    })
    it('says view-building before there is a build', async () => {
      const { readModels } = service.bank
      const live = await readModels.liveBuild(accounts.name)
      await readModels.setLiveBuild(accounts.name, undefined)
      const path = '/ledgers/main/accounts'
      await eventually(async () => !(await get(path)).ok, 'the view is gone')
      const answer = await expectProblem(path, 503, 'view-building')
      expect(answer.headers.get('retry-after')).equal('1')
      await readModels.setLiveBuild(accounts.name, live)
    })
  })

  describe('bad input', () => {
    const refused: readonly [string, string][] = [
      ['/ledgers/main/accounts?limit=0', 'invalid-limit'],
      ['/ledgers/main/accounts?limit=1001', 'invalid-limit'],
      ['/ledgers/main/accounts?limit=1e2', 'invalid-limit'],
      ['/ledgers/main/accounts?limit=1&limit=1', 'repeated-parameter'],
      ['/ledgers/main/accounts?prefix[$ne]=', 'unknown-parameter'],
      ['/ledgers/main/accounts?prefix=a%27--', 'invalid-account-id'],
      ['/ledgers/main/accounts?prefix=%25', 'invalid-account-id'],
      ['/ledgers/main/accounts?asset=czk', 'invalid-asset'],
      ['/ledgers/main/accounts?status=$ne', 'invalid-parameter'],
      ['/ledgers/main/accounts?metadata.a=1&metadata.b=1&metadata.c=1', 'too-many-filters'],
      ['/ledgers/main/transactions?from=yesterday', 'invalid-time'],
      ['/ledgers/main/transactions?account=a%2Fb', 'invalid-account-id'],
      ['/ledgers/main/transactions?order=up', 'invalid-parameter'],
      ['/ledgers/main?min-revision=-1', 'invalid-revision'],
      ['/ledgers/main?min-revision=1.0', 'invalid-revision'],
      ['/ledgers/MAIN', 'invalid-ledger-id'],
      ['/ledgers/%2e%2e%2f', 'invalid-ledger-id'],
      [`/ledgers/${'x'.repeat(10_000)}`, 'invalid-ledger-id'],
      ['/ledgers/main/accounts/a%20b', 'invalid-account-id'],
      ['/ledgers/main/accounts/a%00', 'invalid-account-id'],
      ['/ledgers/main/accounts/%F0%9F%99%82', 'invalid-account-id'],
      ['/ledgers/main/transactions/%2e%2e%2fx', 'invalid-id'],
      ['/events?stream=ledger', 'invalid-stream'],
      ['/events?after=1', 'invalid-position'],
      ['/events?after=99999999999999999999', 'invalid-position'],
      ['/events?before=9999999999999999', 'invalid-position'],
      ['/events?after=0000000000000001-0000000000000001', 'invalid-position'],
      ['/events?stream=ledger-main&before=00000000000000000001', 'invalid-position'],
      ['/streams/x%27%3B', 'invalid-stream'],
    ]
    for (const [path, code] of refused) {
      it(`${path.slice(0, 60)} is ${code}`, () => expectProblem(path, 400, code))
    }
  })
})
