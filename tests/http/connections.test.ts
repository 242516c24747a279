import { request as httpRequest } from 'node:http'
import { expect } from 'chai'
import type { HttpLimits } from '../../platform/http/limits.ts'
import { json, type Operation, operation } from '../../platform/http/operation.ts'
import { compile } from '../../platform/json-schema.ts'
import { eventually } from '../eventually.ts'
import { bodyOf, connectTo, type Edge, startEdge } from './edge-fixture.ts'

const anything = { 200: { description: 'What came', schema: {} } } as const
const isAnything = compile({ type: 'object' } as const)
const lineSchema = { type: 'object' } as const

/** Lets a test decide when a handler goes on. */
function createGate() {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('HTTP connections', () => {
  let edge: Edge
  let gate = createGate()
  let entered = 0

  const operations: readonly Operation[] = [
    operation({
      method: 'GET',
      path: '/slow',
      id: 'slow',
      tag: 'test',
      summary: 'Waits for the test',
      answers: anything,
      async handle() {
        entered += 1
        await gate.opened
        return json(200, { slow: true })
      },
    }),
    operation({
      method: 'GET',
      path: '/quick',
      id: 'quick',
      tag: 'test',
      summary: 'Answers at once',
      answers: anything,
      handle: () => json(200, {}),
    }),
    operation({
      method: 'POST',
      path: '/body',
      id: 'body',
      tag: 'test',
      summary: 'Reads a body',
      body: isAnything,
      answers: anything,
      handle: ({ body }) => json(200, body),
    }),
    operation({
      method: 'POST',
      path: '/lines',
      id: 'lines',
      tag: 'test',
      summary: 'Counts bytes, or answers without end',
      query: { endless: { type: 'boolean' } },
      body: { type: 'application/x-ndjson', lines: lineSchema },
      answers: {
        200: { description: 'Lines', type: 'application/x-ndjson', schema: lineSchema },
      },
      handle: ({ body, query }) => ({
        status: 200,
        stream: query.endless ? endless() : count(body),
      }),
    }),
  ]

  async function* count(body: AsyncIterable<Buffer>) {
    let bytes = 0
    for await (const chunk of body) bytes += chunk.length
    yield `${bytes}\n`
  }

  let written = 0
  async function* endless() {
    for (;;) {
      written += 1
      yield 'x'.repeat(65_536)
    }
  }

  const start = async (limits: Partial<HttpLimits> = {}) => {
    gate = createGate()
    entered = 0
    edge = await startEdge({ operations, limits })
  }
  afterEach(() => edge.close())

  const head = (line: string, ...headers: readonly string[]) =>
    [line, 'Host: localhost', ...headers, '', ''].join('\r\n')
  const post = (length: number) =>
    head('POST /body HTTP/1.1', 'Content-Type: application/json', `Content-Length: ${length}`)

  async function expectAnswer(text: Promise<string>, status: number, code: string): Promise<void> {
    const answer = await text
    expect(answer).match(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).match(/\r\nConnection: close\r\n/i)
    expect(answer).match(/\r\nContent-Type: application\/problem\+json\r\n/)
    expect(bodyOf(answer)).include({ code, status })
    expect(answer.split('HTTP/1.1 ').length, 'answers').equal(2)
  }

  describe('refuse', () => {
    const refused: readonly [string, string, number, string][] = [
      ['what is not HTTP', 'hello\r\n\r\n', 400, 'invalid-request'],
      [
        'two lengths',
        head('POST /body HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'),
        400,
        'invalid-request',
      ],
      [
        'a length beside chunks',
        head('POST /body HTTP/1.1', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
        400,
        'invalid-request',
      ],
      [
        'headers that are too large',
        head('GET /quick HTTP/1.1', `X: ${'x'.repeat(20_000)}`),
        431,
        'headers-too-large',
      ],
    ]
    for (const [what, text, status, code] of refused) {
      it(what, async () => {
        await start()
        const { write, received } = connectTo(edge)
        write(text)
        await expectAnswer(received, status, code)
      })
    }
    it('too many headers, with Connection: close', async () => {
      await start()
      const { write, received } = connectTo(edge)
      const many = Array.from({ length: 101 }, (_, at) => `X-${at}: 1`)
      write(head('GET /quick HTTP/1.1', ...many, 'Connection: close'))
      await expectAnswer(received, 431, 'headers-too-large')
    })
    it('a Host that is not ours, whatever X-Forwarded-Host says (A-16)', async () => {
      await start()
      const status = (headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          httpRequest(`${edge.url}/quick`, { headers }, (answer) => {
            answer.resume()
            resolve(answer.statusCode)
          })
            .on('error', reject)
            .end()
        })
      expect(await status({ host: 'evil.example' })).equal(421)
      expect(await status({ host: 'localhost.evil.example:80' })).equal(421)
      expect(await status({ host: 'evil.example', 'x-forwarded-host': 'localhost' })).equal(421)
      expect(await status({ host: 'localhost', 'x-forwarded-host': 'evil.example' })).equal(200)
      for (const host of ['LOCALHOST:1', '127.0.0.1', '[::1]:8080']) {
        expect(await status({ host })).equal(200)
      }
    })
    it('a target that is a whole URL', async () => {
      await start()
      const { write, received } = connectTo(edge)
      write(head('GET http://localhost/quick HTTP/1.1', 'Connection: close'))
      await expectAnswer(received, 400, 'invalid-target')
    })
    it('a connection too many, with Retry-After', async () => {
      await start({ maxConnections: 2 })
      const first = connectTo(edge)
      first.write(head('GET /quick HTTP/1.1'))
      const second = connectTo(edge)
      second.write(head('GET /quick HTTP/1.1'))
      await eventually(() => second.soFar() !== '' && first.soFar() !== '', 'two answers')
      const { received } = connectTo(edge)
      await expectAnswer(received, 503, 'too-many-connections')
      expect(await received).match(/\r\nRetry-After: 1\r\n/)
      first.socket.destroy()
      await eventually(async () => (await fetch(`${edge.url}/quick`)).ok, 'a place is free again')
    })
  })

  describe('with a body', () => {
    it('announced as too large are refused before a byte of it', async () => {
      await start()
      const { write, received } = connectTo(edge)
      write(post(100_000_000))
      await expectAnswer(received, 413, 'body-too-large')
    })
    it('that asks first is not invited to send what is too large', async () => {
      await start()
      const { write, received } = connectTo(edge)
      write(post(100_000_000).replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'))
      await expectAnswer(received, 413, 'body-too-large')
    })
    it('that asks first is invited otherwise', async () => {
      await start()
      const { write, soFar, socket } = connectTo(edge)
      write(post(2).replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'))
      await eventually(() => soFar().startsWith('HTTP/1.1 100 Continue'), 'the invitation')
      write('{}')
      await eventually(() => soFar().includes('HTTP/1.1 200 OK'), 'the answer')
      socket.destroy()
    })
    it('cut short are answered 400', async () => {
      await start()
      const { write, received, socket } = connectTo(edge)
      write(`${post(10)}{"a":`)
      socket.end()
      await expectAnswer(received, 400, 'body-cut-short')
    })
    it('that goes on too slowly are answered 408', async () => {
      await start({ bodyTimeoutMs: 50 })
      const { write, received } = connectTo(edge)
      write(`${post(10)}{"a":`)
      await expectAnswer(received, 408, 'request-timeout')
    })
    it('with broken chunks are answered 400', async () => {
      await start()
      const { write, received } = connectTo(edge)
      write(
        head('POST /body HTTP/1.1', 'Content-Type: application/json', 'Transfer-Encoding: chunked'),
      )
      write('zz\r\n')
      await expectAnswer(received, 400, 'invalid-request')
    })
  })

  it('whose headers come too slowly are answered 408', async () => {
    await start({ headersTimeoutMs: 100 })
    const { write, received } = connectTo(edge)
    write('GET /quick HTTP/1.1\r\nHost: lo')
    await expectAnswer(received, 408, 'request-timeout')
  })

  it('answer what was asked before garbage came, then close', async () => {
    await start()
    const { write, received } = connectTo(edge)
    write(`${head('GET /slow HTTP/1.1')}garbage\r\n\r\n`)
    await eventually(() => entered === 1, 'the request')
    gate.open()
    const answers = await received
    expect(answers).match(/^HTTP\/1\.1 200 OK[\s\S]*\{"slow":true\}$/)
  })

  describe('that stream', () => {
    it('count what they get, however long it takes', async () => {
      await start({ bodyTimeoutMs: 20 })
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          for (let part = 0; part < 5; part += 1) {
            controller.enqueue(new TextEncoder().encode('{"a":1}\n'))
            await new Promise((resolve) => setTimeout(resolve, 20))
          }
          controller.close()
        },
      })
      const init = {
        method: 'POST',
        body,
        duplex: 'half',
        headers: { 'content-type': 'application/x-ndjson' },
      }
      const answer = await fetch(`${edge.url}/lines`, init as RequestInit)
      expect(await answer.text()).equal('40\n')
    })
    it('are cut when the client reads nothing, with a logged reason', async () => {
      await start({ stallTimeoutMs: 100 })
      const { write, socket } = connectTo(edge)
      socket.pause()
      write(
        head(
          'POST /lines?endless=true HTTP/1.1',
          'Content-Type: application/x-ndjson',
          'Content-Length: 0',
        ),
      )
      await eventually(() => edge.logged.some(({ msg }) => msg === 'a client was cut'), 'the cut')
      const before = written
      await eventually(() => written === before, 'the source stops')
      socket.destroy()
    })
  })

  it('that a client breaks off in the middle of a stream are no fault of the server', async () => {
    await start()
    const { write, soFar, socket } = connectTo(edge)
    write(
      head(
        'POST /lines?endless=true HTTP/1.1',
        'Content-Type: application/x-ndjson',
        'X-Request-Id: broken-off',
        'Content-Length: 1000',
      ),
    )
    write('{}\n')
    await eventually(() => soFar().includes('200 OK'), 'an answer')
    socket.resetAndDestroy()
    const isTold = () => edge.logged.some(({ requestId }) => requestId === 'broken-off')
    await eventually(isTold, 'it is logged')
    expect(edge.logged.filter(({ level }) => level === 'error' || level === 'warn')).deep.equal([])
    expect(edge.logged.find(({ requestId }) => requestId === 'broken-off')).include({
      ...{ level: 'info', operation: 'lines', reason: 'ECONNRESET' },
    })
  })

  describe('at a graceful stop', () => {
    it('answer what is under way with Connection: close, and close what is idle at once', async () => {
      await start()
      const idle = connectTo(edge)
      idle.write(head('GET /quick HTTP/1.1'))
      await eventually(() => idle.soFar() !== '', 'an answer')
      const silent = connectTo(edge)
      const busy = connectTo(edge)
      busy.write(head('GET /slow HTTP/1.1'))
      await eventually(() => entered === 1, 'the request')
      const closed = edge.close()
      await Promise.all([idle.received, silent.received])
      expect(busy.soFar()).equal('')
      gate.open()
      expect(await busy.received).match(
        /^HTTP\/1\.1 200 OK[\s\S]*Connection: close[\s\S]*"slow":true/,
      )
      await closed
      const refused = connectTo(edge)
      expect(await refused.received).equal('')
    })
    it('cut what is left at the deadline', async () => {
      await start({ closeDeadlineMs: 50 })
      const busy = connectTo(edge)
      busy.write(head('GET /slow HTTP/1.1'))
      await eventually(() => entered === 1, 'the request')
      await edge.close()
      expect(await busy.received).equal('')
      gate.open()
    })
  })
})
