import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '../../app/config.ts'
import { type Evident, openEvident } from '../../app/open-evident.ts'
import { silentLog } from '../../platform/log.ts'
import { temporaryFolder } from '../temporary-folder.ts'

describe('commands over HTTP, with everything running', () => {
  const folder = temporaryFolder()
  let evident: Evident

  before(async () => {
    const config = loadConfig({ DATA_FOLDER: join(folder, 'data'), PORT: '0' })
    evident = await openEvident(config, silentLog)
    await send('PUT', '/ledgers/shop', { accountOpening: 'on-first-use' })
    await send('PUT', '/ledgers/shop/accounts/bank', { overdrafts: { 'CZK/2': 'unlimited' } })
  })
  after(() => evident.close())

  async function send(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await fetch(`${evident.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }

  const post = (body: unknown, headers = {}, query = '') =>
    send('POST', `/ledgers/shop/transactions${query}`, body, headers)
  const bulk = (lines: readonly unknown[], headers = {}, query = '') =>
    send(
      'POST',
      `/ledgers/shop/commands${query}`,
      lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
      { 'content-type': 'application/x-ndjson', ...headers },
    )
  const linesOf = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))

  // keys in an order of the client's own
  const pay = (id: string | undefined, amount: string, to = 'ada') => ({
    postings: [{ to, from: 'bank', asset: 'CZK/2', amount }],
    ...(id !== undefined && { id }),
  })

  it('a repeated command gets the first answer again, to the byte', async () => {
    const body = { ...pay('t1', '5'), metadata: { z: '1', a: '2', 10: '3', 9: '4' } }
    const first = await post(body)
    const again = await post(body)
    expect(first.status).equal(201)
    expect(again.status).equal(201)
    expect(again.text).equal(first.text)
    expect(first.headers.get('idempotency-replayed')).equal(null)
    expect(again.headers.get('idempotency-replayed')).equal('true')
    expect(again.headers.get('evident-revision')).equal(first.headers.get('evident-revision'))
  })

  it('a key makes a transaction without an id safe to repeat, bare or quoted', async () => {
    const first = await post(pay(undefined, '7'), { 'idempotency-key': 'k-7' })
    const again = await post(pay(undefined, '7'), { 'idempotency-key': '"k-7"' })
    expect(again.text).equal(first.text)
    const other = await post(pay(undefined, '8'), { 'idempotency-key': 'k-7' })
    expect(other.status).equal(422)
    expect(JSON.parse(other.text).code).equal('idempotency-key-reused')
    const bad = await post(pay(undefined, '8'), { 'idempotency-key': 'no spaces' })
    expect(JSON.parse(bad.text).code).equal('invalid-idempotency-key')
  })

  it('a dry run answers what would happen and leaves nothing', async () => {
    const dry = await post(pay('dry', '9'), {}, '?dry-run=true')
    expect(dry.status).equal(200)
    expect(JSON.parse(dry.text)).not.property('revision')
    expect(JSON.parse(dry.text).events).lengthOf(1)
    const read = await fetch(`${evident.url}/ledgers/shop/transactions/dry`)
    expect(read.status).equal(404)
    const wet = await post(pay('dry', '9'))
    expect(wet.headers.get('idempotency-replayed')).equal(null)
  })

  it('a client’s time is kept in UTC, and one that is in no calendar is refused', async () => {
    const posted = await post({ ...pay('t2', '1'), effectiveAt: '2026-01-31T00:30:00+01:00' })
    expect(JSON.parse(posted.text).events[0].data.effectiveAt).equal('2026-01-30T23:30:00.000Z')
    const refused = await post({ ...pay('t3', '1'), effectiveAt: '2026-02-30T00:00:00Z' })
    expect(JSON.parse(refused.text)).include({ code: 'invalid-time', pointer: '/effectiveAt' })
  })

  describe('in bulk', () => {
    it('answers a line for a line, in order, and an end line', async () => {
      const { text } = await bulk([
        { type: 'PostTransaction', ...pay('b1', '1') },
        '{"type":',
        { type: 'PostTransaction', ...pay('b2', '0') },
        { type: 'PostTransaction', ...pay('b1', '1') },
        { type: 'PostTransaction', ...pay('b1', '2') },
        { type: 'Teleport', id: 'x' },
        { type: 'OpenAccount', account: 'eve' },
        { type: 'OpenAccount', account: 'eve', key: 'open-eve' },
        { type: 'PostTransaction', ...pay('b3', '1', 'bank') },
      ])
      const [end, ...results] = linesOf(text).reverse()
      expect(results.reverse().map(({ line, status, code }) => [line, status, code])).deep.equal([
        [1, 'accepted', undefined],
        [2, 'refused', 'invalid-json'],
        [3, 'refused', 'invalid-amount'],
        [4, 'accepted', undefined],
        [5, 'refused', 'transaction-exists'],
        [6, 'refused', 'unknown-command'],
        [7, 'refused', 'line-without-key'],
        [8, 'accepted', undefined],
        [9, 'refused', 'same-account'],
      ])
      expect(end).deep.equal({ end: true, accepted: 3, refused: 6, failed: 0 })
    })

    it('names lines after the request’s key, so that all can be sent again', async () => {
      const lines = [
        { type: 'OpenAccount', account: 'kim' },
        { type: 'PostTransaction', ...pay(undefined, '3', 'kim') },
      ]
      const first = linesOf((await bulk(lines, { 'idempotency-key': 'batch-1' })).text)
      const again = linesOf((await bulk(lines, { 'idempotency-key': 'batch-1' })).text)
      expect(first.map(({ replayed }) => replayed)).deep.equal([false, false, undefined])
      expect(again.map(({ replayed }) => replayed)).deep.equal([true, true, undefined])
      expect(again.map(({ revision }) => revision)).deep.equal(
        first.map(({ revision }) => revision),
      )
    })

    it('ends where no line was to be decided', async () => {
      for (const lines of [['{'], ['{', '{'], ['']]) {
        const { text } = await bulk(lines)
        expect(linesOf(text).at(-1)).include({ end: true, accepted: 0 })
      }
    })

    it('takes keys of the form that the header takes, so that none is one of its own', async () => {
      const form = (key: string) => ({ type: 'OpenAccount', account: 'lou', key })
      const keys = ['batch-1/1', 'k'.repeat(201), 'a b', '-a', 'k'.repeat(200)]
      const { text } = await bulk(keys.map(form))
      expect(linesOf(text).map(({ code, pointer }) => [code, pointer])).deep.equal([
        ...Array(4).fill(['invalid-idempotency-key', '/key']),
        [undefined, undefined],
        [undefined, undefined],
      ])
      for (const key of keys.slice(0, 4)) {
        const answer = await post(pay('header', '1'), { 'idempotency-key': key })
        expect(JSON.parse(answer.text), key).include({ code: 'invalid-idempotency-key' })
        expect(JSON.parse(answer.text).detail, key).match(/Idempotency-Key .*200 characters/)
      }
      const longest = { 'idempotency-key': 'k'.repeat(200) }
      const named = await bulk([{ type: 'OpenAccount', account: 'max' }], longest)
      expect(linesOf(named.text)[0]).include({ status: 'accepted', replayed: false })
    })

    it('leaves accepted lines out where only errors are wanted', async () => {
      const lines = [pay('e1', '1'), pay('e2', 'x'), pay('e3', '1')]
      const { text } = await bulk(
        lines.map((line) => ({ type: 'PostTransaction', ...line })),
        {},
        '?results=errors',
      )
      expect(linesOf(text).map(({ line, end }) => line ?? end)).deep.equal([2, true])
    })

    it('sends results while no further line comes', async () => {
      const lines = new TransformStream<Uint8Array, Uint8Array>()
      const writer = lines.writable.getWriter()
      const write = (text: string) => writer.write(new TextEncoder().encode(text))
      const responding = fetch(`${evident.url}/ledgers/shop/commands`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.readable,
        duplex: 'half',
      })
      const decoder = new TextDecoder()
      await write(`${JSON.stringify({ type: 'PostTransaction', ...pay('s1', '1') })}\n`)
      const reader = (await responding).body?.getReader()
      const next = async () => decoder.decode((await reader?.read())?.value)
      expect(JSON.parse(await next())).include({ line: 1, status: 'accepted' })
      await write(`${JSON.stringify({ type: 'PostTransaction', ...pay('s1', '1') })}\n`)
      expect(JSON.parse(await next())).include({ line: 2, replayed: true })
      await writer.close()
      expect(JSON.parse(await next())).include({ end: true, accepted: 2 })
    })
  })

  it('takes no control character in a reference or in metadata, and says so', async () => {
    const refused = [
      [{ reference: 'a\u0000b' }, 'invalid-reference', '/reference'],
      [{ reference: 'a\nb' }, 'invalid-reference', '/reference'],
      [{ metadata: { k: '\u001b[2J' } }, 'invalid-metadata', '/metadata/k'],
    ] as const
    for (const [part, code, pointer] of refused) {
      const body = JSON.parse((await post({ ...pay('control', '1'), ...part })).text)
      expect(body).include({ code, pointer })
      expect(body.detail).match(/control character/)
    }
    const fine = { reference: 'Žluťoučký €', metadata: { k: '' } }
    expect((await post({ ...pay('no-control', '1'), ...fine })).status).equal(201)
  })

  it('says what an amount must be, in the body and in a line', async () => {
    const says = /^\/postings\/0\/amount has another form\. A positive whole number of the smallest/
    expect(JSON.parse((await post(pay('form', '1.5'))).text).detail).match(says)
    const { text } = await bulk([{ type: 'PostTransaction', ...pay('form', '1.5') }])
    expect(linesOf(text)[0].detail).match(says)
    const bad = await send('PUT', '/ledgers/shop/accounts/od', { overdrafts: { czk: 'none' } })
    expect(JSON.parse(bad.text)).include({ code: 'invalid-asset', pointer: '/overdrafts/czk' })
  })

  it('describes what keeps a command from being decided, and the form of its key', async () => {
    const { paths } = JSON.parse(await (await fetch(`${evident.url}/openapi.json`)).text())
    const failures =
      /event-store-unavailable[\s\S]*outcome-unknown[\s\S]*overloaded[\s\S]*stream-unavail/
    for (const [path, method] of [
      ['/ledgers/{ledger}', 'put'],
      ['/ledgers/{ledger}/accounts/{account}', 'put'],
      ['/ledgers/{ledger}/accounts/{account}', 'patch'],
      ['/ledgers/{ledger}/transactions', 'post'],
    ] as const) {
      const { responses, parameters } = paths[path][method]
      expect(responses[503].description, path).match(failures)
      expect(responses[503].headers, path).property('Retry-After')
      expect(responses[400].description, path).include('`invalid-idempotency-key`')
      const key = parameters.find(({ name }: { name: string }) => name === 'Idempotency-Key')
      expect(key.schema.pattern, path).match(/\{0,199\}/)
    }
  })

  it('is ready, and measures deciding, appending, requests and visibility', async () => {
    expect((await fetch(`${evident.url}/readyz`)).status).equal(200)
    const figures = await (await fetch(`${evident.url}/metrics`)).text()
    for (const name of ['decide', 'append', 'http_request', 'projection_lag']) {
      const count = new RegExp(`^evident_${name}_seconds_count.* ([1-9]\\d*)$`, 'm')
      expect(figures, name).match(count)
    }
  })
})
