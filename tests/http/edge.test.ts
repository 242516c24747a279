import { expect } from 'chai'
import { problem } from '../../platform/http/edge-problems.ts'
import { json, type Operation, operation, raw } from '../../platform/http/operation.ts'
import { compile, type Schema } from '../../platform/json-schema.ts'
import { connectTo, type Edge, jsonOf, startEdge } from './edge-fixture.ts'

const nameSchema = { type: 'string', pattern: '^[a-z]{1,8}$', problem: 'invalid-name' } as const
const thingSchema = {
  type: 'object',
  properties: {
    name: nameSchema,
    size: { type: 'integer' },
    parts: { type: 'array', items: { type: 'object', additionalProperties: true } },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies Schema
const isThing = compile(thingSchema)
const anything = { 200: { description: 'What came', schema: {} } } as const

const operations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/things/:name',
    id: 'getThing',
    tag: 'things',
    summary: 'What the handler was given',
    params: { name: nameSchema },
    query: {
      limit: { type: 'integer', minimum: 1, default: 10 },
      deep: { type: 'boolean' },
      at: { type: 'string', maxLength: 3, problem: 'invalid-name' },
      'metadata.*': { type: 'string', maxLength: 5 },
    },
    answers: anything,
    handle: ({ params, query, request: { id, traceparent } }) =>
      json(200, { params, query, id, traceparent }),
  }),
  operation({
    method: 'POST',
    path: '/things',
    id: 'makeThing',
    tag: 'things',
    summary: 'Make one',
    body: isThing,
    answers: { 201: { description: 'Made', schema: thingSchema } },
    handle: ({ body }) => json(201, body),
  }),
  operation({
    method: 'GET',
    path: '/failure',
    id: 'fail',
    tag: 'things',
    summary: 'Fails inside',
    query: { how: { type: 'string' } },
    answers: anything,
    handle({ query }): never {
      if (query.how === 'late') throw problem('not-ready', { headers: { 'Retry-After': '7' } })
      throw new Error('secret: password=hunter2 in /home/user', { cause: new Error('inner') })
    },
  }),
  operation({
    method: 'GET',
    path: '/leak',
    id: 'leak',
    tag: 'things',
    summary: 'Answers a property too many',
    answers: { 200: { description: 'A thing', schema: thingSchema } },
    handle: () => json(200, { name: 'a', password: 'x' }),
  }),
  operation({
    method: 'GET',
    path: '/text',
    id: 'text',
    tag: 'things',
    summary: 'Text that is not ASCII',
    answers: anything,
    handle: () => raw(200, '{"name":"Žižkov 🙂"}'),
  }),
]

const problems = {
  'invalid-name': { status: 400, title: 'The name is not valid', advice: 'Lower case.' },
}

describe('HTTP edge', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge({ operations, problems, limits: { maxBodyBytes: 2_000 } })
  })
  after(() => edge.close())

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(edge.url + path, { headers })
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${edge.url}/things`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: body,
    })

  async function expectProblem(
    answer: Response | Promise<Response>,
    status: number,
    code: string,
    members: object = {},
  ): Promise<Response> {
    const response = await answer
    const body = await jsonOf(response)
    expect(body).include({ code, status, ...members })
    expect(body.type).equal(`/problems/${code}`)
    expect(body.requestId).equal(response.headers.get('x-request-id'))
    expect(response.status).equal(status)
    expect(response.headers.get('content-type')).equal('application/problem+json')
    return response
  }

  describe('parameters', () => {
    it('are typed by their schemas, with their defaults', async () => {
      const { query, params } = await jsonOf(get('/things/a?deep=true&metadata.k=v%20w&at=x+y'))
      expect(query).deep.equal({ limit: 10, deep: true, at: 'x y', metadata: { k: 'v w' } })
      expect(params).deep.equal({ name: 'a' })
    })
    const refused: readonly [string, string, string][] = [
      ['?limit=0', 'invalid-parameter', 'a minimum'],
      ['?limit=1.5', 'invalid-parameter', 'a fraction'],
      ['?limit=', 'invalid-parameter', 'nothing'],
      ['?deep=yes', 'invalid-parameter', 'another boolean'],
      ['?at=long', 'invalid-name', 'the code of its own schema'],
      ['?metadata.k=too-long', 'invalid-parameter', 'a value of a group'],
      ['?limit=1&limit=2', 'repeated-parameter', 'one twice'],
      ['?metadata.k=1&metadata.k=2', 'repeated-parameter', 'one of a group twice'],
      ['?limit[]=1', 'unknown-parameter', 'an array'],
      ['?limit[$gt]=1', 'unknown-parameter', 'an operator'],
      ['?metadata=1', 'unknown-parameter', 'a group without its key'],
      ['?metadata.*=1', 'unknown-parameter', 'the pattern itself'],
      ['?__proto__=1', 'unknown-parameter', 'a prototype'],
      ['?other=1', 'unknown-parameter', 'another'],
      ['?at=%ff', 'invalid-query', 'what is not UTF-8'],
      ['?at=%zz', 'invalid-query', 'a broken escape'],
      ['?&', 'unknown-parameter', 'an empty name'],
    ]
    for (const [query, code, what] of refused) {
      it(`refuse ${what}: ${query}`, () => expectProblem(get(`/things/a${query}`), 400, code))
    }
    const named: readonly [string, string, string][] = [
      ['/things/a?limit=0', 'limit', 'invalid-parameter'],
      ['/things/a?at=long', 'at', 'invalid-name'],
      ['/things/a?metadata.k~%2F=too-long', 'metadata.k~/', 'invalid-parameter'],
      ['/things/a?other=1', 'other', 'unknown-parameter'],
      ['/things/a?limit=1&limit=2', 'limit', 'repeated-parameter'],
      ['/things/A', 'name', 'invalid-name'],
    ]
    for (const [path, parameter, code] of named) {
      it(`are named where they are refused: ${path}`, async () => {
        const body = await jsonOf(get(path))
        expect(body).include({ code, parameter })
        expect(body.detail).include(parameter).and.not.include('/limit')
        expect(body).not.property('pointer')
      })
    }
    it('keep a key called __proto__ within its group', async () => {
      const text = await (await get('/things/a?metadata.__proto__=x')).text()
      expect(text).include('"metadata":{"__proto__":"x"}')
    })
    const names = [
      'A',
      'a%2Fb',
      'a%20b',
      'a%00',
      '%F0%9F%99%82',
      '%ff',
      '%zz',
      'a..',
      'x'.repeat(10_000),
    ]
    for (const name of names) {
      it(`refuse a path parameter ${name.slice(0, 10)} with its code`, () =>
        expectProblem(get(`/things/${name}`), 400, 'invalid-name'))
    }
  })

  describe('body', () => {
    it('is read as declared', async () => {
      const answer = await post('{"name":"a","size":3}', {
        'content-type': 'application/json; charset=UTF-8',
      })
      expect(answer.status).equal(201)
      expect(await answer.json()).deep.equal({ name: 'a', size: 3 })
    })
    const refused: readonly [string, string | Buffer, string, string?][] = [
      ['broken JSON', '{"name":', 'invalid-json'],
      ['nothing', '', 'invalid-json'],
      ['a byte order mark', '\ufeff{"name":"a"}', 'invalid-json'],
      ['broken UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'invalid-utf8'],
      ['half a surrogate pair', '{"name":"\\ud800"}', 'invalid-unicode'],
      ['a key twice', '{"name":"a","name":"b"}', 'duplicate-key'],
      ['a key twice, escaped', '{"name":"a","n\\u0061me":"b"}', 'escaped-key'],
      ['__proto__', '{"name":"a","__proto__":{}}', 'forbidden-key'],
      ['depth', `{"name":${'['.repeat(900)}${']'.repeat(900)}}`, 'json-too-deep'],
      ['a fraction', '{"name":"a","size":1.0}', 'invalid-number'],
      ['an exponent', '{"name":"a","size":1e2}', 'invalid-number'],
      ['a number beyond the safe ones', '{"name":"a","size":9007199254740993}', 'invalid-number'],
      ['an unknown field', '{"name":"a","a/b":1}', 'unknown-field', '/a~1b'],
      ['a missing field', '{"size":1}', 'missing-field', '/name'],
      ['a wrong value, with its own code', '{"name":"A"}', 'invalid-name', '/name'],
      ['a wrong value without one', '{"name":"a","size":"1"}', 'invalid-body', '/size'],
      ['another type', '[]', 'invalid-body', ''],
    ]
    for (const [what, body, code, pointer] of refused) {
      it(`refuses ${what}`, () =>
        expectProblem(post(body), 400, code, pointer === undefined ? {} : { pointer }))
    }
    const details: readonly [string, RegExp][] = [
      ['{"name":}', /: } stands where it cannot/],
      ['{name:1}', /at position 1/],
      ['{"name":', /ends early, at position 8/],
      ['{"name":"{","size":1, "name" :"b"}', /the key "name" twice/],
      ['{"na\\u006de" :"b"}', /The key "na\\u006de" is written/],
    ]
    for (const [body, detail] of details) {
      it(`says what is wrong with ${body}`, async () => {
        expect((await jsonOf(post(body))).detail).match(detail)
      })
    }
    it('is refused where it is too large', async () => {
      await expectProblem(post(`"${'x'.repeat(2_000)}"`), 413, 'body-too-large', { limit: 2_000 })
    })
    it('is refused where its length is unknown and too large', async () => {
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode('x'.repeat(1_500)))
        },
      })
      const init = {
        method: 'POST',
        body,
        duplex: 'half',
        headers: { 'content-type': 'application/json' },
      }
      await expectProblem(fetch(`${edge.url}/things`, init as RequestInit), 413, 'body-too-large')
    })
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=latin1',
      '',
    ]) {
      it(`is refused as ${type || 'no type'}`, () =>
        expectProblem(
          post(Buffer.from('{}'), { 'content-type': type }),
          415,
          'unsupported-media-type',
        ))
    }
    for (const encoding of ['gzip', 'br', 'identity']) {
      it(`is refused with Content-Encoding ${encoding}`, () =>
        expectProblem(post('{}', { 'content-encoding': encoding }), 415, 'compressed-body'))
    }
    it('is refused where none is taken', async () => {
      const { received, write } = connectTo(edge)
      write('GET /things/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}')
      expect(await received).match(/^HTTP\/1\.1 400 [\s\S]*"unexpected-body"/)
    })
  })

  describe('answers', () => {
    it('404 where there is nothing, also with a slash at the end or in capitals', async () => {
      for (const path of ['/', '/thing', '/things/a/', '/Things/a', '/things/a/b']) {
        await expectProblem(get(path), 404, 'not-found')
      }
    })
    it('405 with Allow for another method, and OPTIONS', async () => {
      const answer = await expectProblem(
        fetch(`${edge.url}/things/a`, { method: 'DELETE' }),
        405,
        'method-not-allowed',
      )
      expect(answer.headers.get('allow')).equal('GET, HEAD, OPTIONS')
      const options = await fetch(`${edge.url}/things`, { method: 'OPTIONS' })
      expect([options.status, options.headers.get('allow')]).deep.equal([204, 'OPTIONS, POST'])
    })
    it('HEAD as GET, without the body', async () => {
      const answer = await fetch(`${edge.url}/text`, { method: 'HEAD' })
      expect(answer.status).equal(200)
      expect(answer.headers.get('content-length')).equal('24')
      expect(await answer.text()).equal('')
    })
    it('text beyond ASCII, whole', async () => {
      expect(await (await get('/text')).json()).deep.equal({ name: 'Žižkov 🙂' })
    })
    it('406 only where nothing fits', async () => {
      for (const accept of ['application/*', 'text/html, */*;q=0.1', 'application/json;q=0.5']) {
        expect((await get('/text', { accept })).status).equal(200)
      }
      await expectProblem(get('/text', { accept: 'text/html' }), 406, 'not-acceptable')
      await expectProblem(get('/text', { accept: 'application/json;q=0' }), 406, 'not-acceptable')
    })
    it('500 without the inside, which is in the log under the id (A-26)', async () => {
      const answer = await get('/failure')
      const text = await answer.text()
      expect(answer.status).equal(500)
      expect(text).not.match(/secret|hunter2|home|inner|Error|\.ts/)
      const record = edge.logged.find((one) => one.requestId === JSON.parse(text).requestId)
      expect(JSON.stringify(record))
        .match(/hunter2/)
        .match(/inner/)
    })
    it('503 with Retry-After', async () => {
      const answer = await expectProblem(get('/failure?how=late'), 503, 'not-ready')
      expect(answer.headers.get('retry-after')).equal('7')
    })
    it('nothing that its schema does not have (A-05)', () =>
      expectProblem(get('/leak'), 500, 'internal-error'))
  })

  describe('requests', () => {
    it('keep a well-formed id, and get one otherwise', async () => {
      const id = (given?: string) =>
        get('/text', given === undefined ? {} : { 'x-request-id': given }).then((answer) =>
          answer.headers.get('x-request-id'),
        )
      expect(await id('abc-1.2:3_x')).equal('abc-1.2:3_x')
      for (const bad of ['a b', '-a', 'x'.repeat(129), '<script>'])
        expect(await id(bad)).not.equal(bad)
      expect(await id())
        .match(/^[\w.-]+$/)
        .not.equal(await id())
    })
    it('keep a valid trace context, and get a new one otherwise', async () => {
      const own = String((await jsonOf(get('/things/a'))).traceparent)
      expect(own).match(/^00-[0-9a-f]{12}4[0-9a-f]{19}-[89ab][0-9a-f]{15}-00$/)
      const trace = async (traceparent: string) =>
        (await jsonOf(get('/things/a', { traceparent }))).traceparent
      const valid = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
      expect(await trace(valid)).equal(valid)
      const invalid = [
        valid.toUpperCase(),
        valid.replace('00-', 'ff-'),
        `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
        `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`,
        `${valid}-x`,
      ]
      for (const one of invalid) {
        expect(await trace(one)).match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
      }
    })
    it('reach the histogram by operation and class of status', async () => {
      const text = await edge.metrics.registry.metrics()
      expect(text).match(
        /evident_http_request_seconds_count\{operation="getThing",status="2xx"\} \d+/,
      )
      expect(text).match(/operation="makeThing",status="4xx"/)
    })
  })
})
