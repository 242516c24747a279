import { expect } from 'chai'
import { readLog } from '../crash/logged.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { answerTo, rawRequest } from './raw-request.ts'

const posting = { amount: '5', asset: 'CZK/2', from: 'bank', to: 'alice' }
const transaction = (change: object = {}) => ({ postings: [{ ...posting, ...change }] })
const path = '/ledgers/main/transactions'

/** What is sent, and the status and code that answer it. A text is sent as it is. */
type Case = readonly [what: string, body: unknown, status: number, code: string]

const bodies: readonly Case[] = [
  ['an amount of zero', transaction({ amount: '0' }), 400, 'invalid-amount'],
  ['a negative amount', transaction({ amount: '-5' }), 400, 'invalid-amount'],
  ['a fraction', transaction({ amount: '5.5' }), 400, 'invalid-amount'],
  ['an exponent', transaction({ amount: '5e3' }), 400, 'invalid-amount'],
  ['a leading zero', transaction({ amount: '05' }), 400, 'invalid-amount'],
  ['a plus sign', transaction({ amount: '+5' }), 400, 'invalid-amount'],
  ['digits of another script', transaction({ amount: '٥' }), 400, 'invalid-amount'],
  ['an empty amount', transaction({ amount: '' }), 400, 'invalid-amount'],
  ['an amount with a line end', transaction({ amount: '5\n' }), 400, 'invalid-amount'],
  ['an amount as a number', transaction({ amount: 5 }), 400, 'invalid-amount'],
  ['an amount of null', transaction({ amount: null }), 400, 'invalid-amount'],
  ['39 digits', transaction({ amount: '1'.repeat(39) }), 400, 'invalid-amount'],
  ['an asset without decimals', transaction({ asset: 'CZK' }), 400, 'invalid-asset'],
  ['an asset in small letters', transaction({ asset: 'czk/2' }), 400, 'invalid-asset'],
  ['an asset with 39 decimals', transaction({ asset: 'CZK/39' }), 400, 'invalid-asset'],
  ['the same account on both sides', transaction({ to: 'bank' }), 422, 'same-account'],
  ['an account with a space', transaction({ to: 'a b' }), 400, 'invalid-account-id'],
  ['an account with a slash', transaction({ to: 'a/b' }), 400, 'invalid-account-id'],
  ['an account that goes up', transaction({ to: '..' }), 400, 'invalid-account-id'],
  ['an account with NUL', transaction({ to: 'a\0b' }), 400, 'invalid-account-id'],
  ['an emoji', transaction({ to: '🦊' }), 400, 'invalid-account-id'],
  ['an account of 10 KB', transaction({ to: 'a'.repeat(10_240) }), 400, 'invalid-account-id'],
  ['an empty segment', transaction({ to: 'a::b' }), 400, 'invalid-account-id'],
  ['an account that is an object', transaction({ to: { a: 1 } }), 400, 'invalid-account-id'],
  ['an id with a slash', { id: 'a/b', ...transaction() }, 400, 'invalid-id'],
  ['an id with NUL', { id: 'a\0', ...transaction() }, 400, 'invalid-id'],
  ['an id of 10 KB', { id: 'a'.repeat(10_240), ...transaction() }, 400, 'invalid-id'],
  ['an id of `..`', { id: '..', ...transaction() }, 400, 'invalid-id'],
  ['no postings', { postings: [] }, 400, 'invalid-postings'],
  ['1,001 postings', { postings: Array(1_001).fill(posting) }, 400, 'invalid-postings'],
  ['postings that are none', { postings: 'all' }, 400, 'invalid-postings'],
  ['no postings at all', {}, 400, 'missing-field'],
  ['an unknown field', { ...transaction(), force: true }, 400, 'unknown-field'],
  ['an unknown field of a posting', transaction({ note: 'x' }), 400, 'unknown-field'],
  ['30 February', { ...transaction(), effectiveAt: '2026-02-30T00:00:00Z' }, 400, 'invalid-time'],
  [
    'a time without offset',
    { ...transaction(), effectiveAt: '2026-02-20T00:00:00' },
    400,
    'invalid-time',
  ],
  ['an empty reference', { ...transaction(), reference: '' }, 400, 'invalid-reference'],
  ['metadata of numbers', { ...transaction(), metadata: { a: 1 } }, 400, 'invalid-metadata'],
  [
    'metadata too long',
    { ...transaction(), metadata: { a: 'x'.repeat(1_025) } },
    400,
    'invalid-metadata',
  ],
  ['a body of null', 'null', 400, 'invalid-body'],
  ['a body that is a list', '[]', 400, 'invalid-body'],
  ['an empty body', '', 400, 'invalid-json'],
  ['half a body', '{"postings":[', 400, 'invalid-json'],
  ['a comment', '{"postings":[]/**/}', 400, 'invalid-json'],
  ['JSON 1,000 deep', `${'['.repeat(1_000)}${']'.repeat(1_000)}`, 400, 'json-too-deep'],
  ['a key twice', '{"postings":[],"postings":[]}', 400, 'duplicate-key'],
  ['a key twice, once escaped', '{"postings":[],"p\\u006fstings":[]}', 400, 'escaped-key'],
  ['__proto__', '{"__proto__":{"postings":[]}}', 400, 'forbidden-key'],
  ['a fraction as a number', '{"postings":[],"n":1.5}', 400, 'invalid-number'],
  ['an unsafe number', '{"postings":[],"n":9007199254740993}', 400, 'invalid-number'],
  ['half a surrogate pair', '{"postings":[],"reference":"\\ud800"}', 400, 'invalid-unicode'],
]

const targets: readonly (readonly [string, string, number, string])[] = [
  ['PUT', '/ledgers/UPPER', 400, 'invalid-ledger-id'],
  ['PUT', '/ledgers/a%2Fb', 400, 'invalid-ledger-id'],
  ['PUT', '/ledgers/..%2F..', 400, 'invalid-ledger-id'],
  ['PUT', '/ledgers/%00', 400, 'invalid-ledger-id'],
  ['PUT', '/ledgers/%F0%9F%A6%8A', 400, 'invalid-ledger-id'],
  ['PUT', `/ledgers/${'a'.repeat(10_240)}`, 400, 'invalid-ledger-id'],
  ['PUT', '/ledgers/main/accounts/a%20b', 400, 'invalid-account-id'],
  ['PUT', '/ledgers/main/accounts/__proto__%2F', 400, 'invalid-account-id'],
  ['GET', '/ledgers/%FF', 400, 'invalid-ledger-id'],
  ['GET', '/ledgers/main/accounts?cursor=bWFkZS11cA', 400, 'invalid-cursor'],
  ['GET', '/ledgers/main/accounts?cursor=%00', 400, 'invalid-cursor'],
  ['GET', '/ledgers/main/accounts?limit=0', 400, 'invalid-limit'],
  ['GET', '/ledgers/main/accounts?limit=1001', 400, 'invalid-limit'],
  ['GET', '/ledgers/main/accounts?limit=1e2', 400, 'invalid-limit'],
  ['GET', '/ledgers/main/accounts?nonsense=1', 400, 'unknown-parameter'],
  ['GET', '/ledgers/main?min-revision=-1', 400, 'invalid-revision'],
  ['GET', '/ledgers/none', 404, 'ledger-not-found'],
  ['GET', '/ledgers/main/accounts/nobody', 404, 'account-not-found'],
  ['GET', '/nothing', 404, 'not-found'],
  ['DELETE', '/ledgers/main', 405, 'method-not-allowed'],
  ['PATCH', '/ledgers/main/transactions', 405, 'method-not-allowed'],
  ['DELETE', '/events', 405, 'method-not-allowed'],
]

describe('bad input over HTTP: each its own code, and nothing in the log', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  let server: ServerProcess
  let events: number

  const countEvents = async () => (await readLog(`${folder}/events.db`)).length

  before(async () => {
    server = await startServer(folder).serving
    const json = { 'Content-Type': 'application/json' }
    await answerTo(server, 'PUT', '/ledgers/main', json, '{"accountOpening":"on-first-use"}')
    const bank = '{"overdrafts":{"CZK/2":"unlimited"}}'
    await answerTo(server, 'PUT', '/ledgers/main/accounts/bank', json, bank)
    events = await countEvents()
    expect(events).equal(3)
  })
  after(async () => {
    server.signal('SIGTERM')
    expect(await server.ended).equal(0)
  })
  afterEach(async () => expect(await countEvents(), 'events in the log').equal(events))

  const json = { 'Content-Type': 'application/json' }

  for (const [what, body, status, code] of bodies) {
    it(`${what}: ${status} ${code}, also as a line of a bulk`, async () => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      expect(await answerTo(server, 'POST', path, json, text)).include({ status, code })
      if (text.length > 200_000 || !text.startsWith('{') || !text.endsWith('}')) return
      const line = `{"type":"PostTransaction","key":"k1",${text.slice(1)}`.replace(',}', '}')
      const ndjson = { 'Content-Type': 'application/x-ndjson' }
      const bulk = await answerTo(server, 'POST', '/ledgers/main/commands', ndjson, `${line}\n`)
      expect(bulk.lines).deep.include({ end: true, accepted: 0, refused: 1, failed: 0 })
      expect(bulk.lines[0]).include({ line: 1, status: 'refused', code })
    })
  }

  for (const [method, target, status, code] of targets) {
    it(`${method} ${target.slice(0, 60)}: ${status} ${code}`, async () => {
      const body = method === 'GET' || method === 'DELETE' ? undefined : '{}'
      const answer = await answerTo(server, method, target, body ? json : {}, body)
      expect(answer).include({ status, code })
      if (status === 405) expect(answer.headers.get('allow')).match(/OPTIONS/)
    })
  }

  const requests: readonly (readonly [
    string,
    Record<string, string>,
    string | Buffer,
    number,
    string,
  ])[] = [
    ['no content type', {}, '{}', 415, 'unsupported-media-type'],
    [
      'a form',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      'a=1',
      415,
      'unsupported-media-type',
    ],
    [
      'another charset',
      { 'Content-Type': 'application/json; charset=latin1' },
      '{}',
      415,
      'unsupported-media-type',
    ],
    ['a compressed body', { ...json, 'Content-Encoding': 'gzip' }, '{}', 415, 'compressed-body'],
    [
      'an identity encoding',
      { ...json, 'Content-Encoding': 'identity' },
      '{}',
      415,
      'compressed-body',
    ],
    ['broken UTF-8', json, Buffer.from('7b2261223a22ff227d', 'hex'), 400, 'invalid-utf8'],
    [
      'UTF-8 of a surrogate',
      json,
      Buffer.from('7b2261223a22eda080227d', 'hex'),
      400,
      'invalid-utf8',
    ],
    [
      'a key with a space',
      { ...json, 'Idempotency-Key': 'a b' },
      '{}',
      400,
      'invalid-idempotency-key',
    ],
    [
      'a key of 10 KB',
      { ...json, 'Idempotency-Key': 'a'.repeat(10_240) },
      JSON.stringify(transaction()),
      400,
      'invalid-idempotency-key',
    ],
    [
      'a body of 2 MB',
      json,
      JSON.stringify({ reference: 'x'.repeat(2_000_000) }),
      413,
      'body-too-large',
    ],
  ]
  for (const [what, headers, body, status, code] of requests) {
    it(`${what}: ${status} ${code}`, async () => {
      const sent = code === 'invalid-idempotency-key' ? JSON.stringify(transaction()) : body
      expect(await answerTo(server, 'POST', path, headers, sent)).include({ status, code })
    })
  }

  it('a body of 100 MB is answered before it is sent, and while it is being sent', async () => {
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
    const announced = await rawRequest(server, [`${head}Content-Length: 104857600\r\n\r\n`])
    expect(announced).match(/^HTTP\/1\.1 413 [\s\S]*body-too-large/)
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`
    const chunks = [`${head}Transfer-Encoding: chunked\r\n\r\n`, ...Array(100).fill(chunk)]
    expect(await rawRequest(server, chunks)).match(/^HTTP\/1\.1 413 [\s\S]*body-too-large/)
    const whole = await answerTo(server, 'POST', path, json, Buffer.alloc(104_857_600, 'x'))
    expect(whole).include({ status: 413, code: 'body-too-large' })
  })

  it('a body cut short does nothing', async () => {
    const body = JSON.stringify(transaction())
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
    const whole = `${head}Content-Length: ${body.length + 1}\r\n\r\n${body}`
    expect(await rawRequest(server, [whole], { end: true })).match(
      /^HTTP\/1\.1 400 [\s\S]*body-cut-short/,
    )
  })
})
