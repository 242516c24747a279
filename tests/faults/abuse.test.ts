import { createConnection } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkReadModels } from '../crash/check-read-models.ts'
import { readLog } from '../crash/logged.ts'
import { type Seeded, seeded } from '../crash/seeded.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { answerTo } from './raw-request.ts'

const json = { 'Content-Type': 'application/json' }
const ndjson = { 'Content-Type': 'application/x-ndjson' }

describe('a server that is abused', function () {
  this.timeout(60_000)
  const folder = temporaryFolder()
  let server: ServerProcess
  let ledgers = 0
  let ledger: string

  before(async () => {
    server = await startServer(folder, { LOG_LEVEL: 'error' }).serving
  })
  beforeEach(async () => {
    ledger = `l${++ledgers}`
    await answerTo(server, 'PUT', `/ledgers/${ledger}`, json, '{"accountOpening":"on-first-use"}')
    const bank = '{"overdrafts":{"CZK/2":"unlimited"}}'
    await answerTo(server, 'PUT', `/ledgers/${ledger}/accounts/bank`, json, bank)
  })
  after(async () => {
    server.signal('SIGTERM')
    expect(await server.ended).equal(0)
  })

  const pay = (id: string | undefined, to = 'alice') =>
    JSON.stringify({
      ...(id === undefined ? {} : { id }),
      postings: [{ amount: '5', asset: 'CZK/2', from: 'bank', to }],
    })
  const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    answerTo(server, 'POST', `/ledgers/${ledger}/transactions`, { ...json, ...headers }, body)
  const posted = async () =>
    (await readLog(join(folder, 'events.db'))).filter(
      ({ stream, event }) => stream === `ledger-${ledger}` && event.type === 'TransactionPosted',
    )
  /** What the thread that serves holds in memory; what it could give back is not counted. */
  const usedBytes = async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    const of = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1])
    return of('nodejs_heap_size_used_bytes') + of('nodejs_external_memory_bytes')
  }

  describe('the same command a hundred times at once (C-32)', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n)

    it('with the same key: one effect, and one answer for all', async () => {
      const answers = await Promise.all(
        hundred.map(() => post(pay(undefined), { 'Idempotency-Key': 'k1' })),
      )
      expect(new Set(answers.map(({ status }) => status))).deep.equal(new Set([201]))
      expect(new Set(answers.map(({ headers }) => headers.get('evident-revision'))).size).equal(1)
      const isReplayed = ({ headers }: (typeof answers)[number]) =>
        headers.get('idempotency-replayed') === 'true'
      expect(answers.filter(isReplayed).length).equal(99)
      expect((await posted()).length).equal(1)
    })

    it('with the same id and other keys: one effect', async () => {
      const answers = await Promise.all(
        hundred.map((n) => post(pay('t1'), { 'Idempotency-Key': `k${n}` })),
      )
      expect(answers.every(({ status }) => status === 201)).equal(true)
      expect((await posted()).length).equal(1)
    })

    it('with the same key and other content: one effect, the rest are refused', async () => {
      const answers = await Promise.all(
        hundred.map((n) => post(pay(undefined, `a${n}`), { 'Idempotency-Key': 'k1' })),
      )
      const codes = answers.map(({ status, code }) => code ?? status)
      expect(codes.filter((code) => code === 201).length).equal(1)
      expect(codes.filter((code) => code === 'idempotency-key-reused').length).equal(99)
      expect((await posted()).length).equal(1)
    })

    it('with other keys and no id: a hundred effects', async () => {
      await Promise.all(hundred.map((n) => post(pay(undefined), { 'Idempotency-Key': `k${n}` })))
      expect((await posted()).length).equal(100)
    })
  })

  it('answers any JSON with what it is, never with 500, and logs nothing of it', async () => {
    const chance = seeded(4)
    const before = (await posted()).length
    let accepted = 0
    for (let round = 0; round < 40; round += 1) {
      const bodies = Array.from({ length: 25 }, () => JSON.stringify(mutated(chance)))
      const answers = await Promise.all(bodies.map((body) => post(body)))
      for (const [n, { status, code }] of answers.entries()) {
        expect(status, `${code} for ${bodies[n]}`).lessThan(500)
        if (status === 201) accepted += 1
        else expect(code, bodies[n]).match(/^[a-z-]+$/)
      }
    }
    expect((await posted()).length - before).equal(accepted)
    expect(accepted, 'some of it was a transaction').greaterThan(20)
  })

  describe('a bulk', () => {
    const lines = (from: number, count: number) =>
      Array.from(
        { length: count },
        (_, n) => `{"type":"PostTransaction",${pay(`b${from + n}`).slice(1)}\n`,
      ).join('')

    it('whose reader never reads is held back, and the memory stays bounded (C-22)', async () => {
      const { hostname, port } = new URL(server.url)
      const socket = createConnection(Number(port), hostname)
      socket.pause()
      socket.on('error', () => undefined)
      socket.write(
        `POST /ledgers/${ledger}/commands HTTP/1.1\r\nHost: localhost\r\n` +
          'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      let sentLines = 0
      let isHeld = false
      while (!isHeld && sentLines < 400_000) {
        const text = lines(sentLines, 500)
        sentLines += 500
        const isFree = socket.write(`${text.length.toString(16)}\r\n${text}\r\n`)
        if (!isFree) isHeld = !(await drainedSoon(socket))
      }
      expect(isHeld, 'the server takes no more').equal(true)
      expect(await usedBytes()).lessThan(250_000_000)
      const health = await fetch(`${server.url}/healthz`)
      expect(health.status, 'others are served').equal(200)
      socket.destroy()

      const done = (await posted()).length
      expect(done).greaterThan(0)
      const again = await answerTo(
        ...([server, 'POST', `/ledgers/${ledger}/commands?results=errors`, ndjson] as const),
        lines(0, done + 100),
      )
      expect(again.lines).deep.equal([{ end: true, accepted: done + 100, refused: 0, failed: 0 }])
      expect((await posted()).length, 'each once').equal(done + 100)
    })

    it('whose client is gone in the middle has no half lines, and can be repeated', async () => {
      const { hostname, port } = new URL(server.url)
      for (const cut of [1, 20, 777]) {
        const socket = createConnection(Number(port), hostname)
        socket.on('error', () => undefined)
        const text = lines(0, 1_000)
        socket.write(
          `POST /ledgers/${ledger}/commands HTTP/1.1\r\nHost: localhost\r\n` +
            `Content-Type: application/x-ndjson\r\nContent-Length: ${text.length}\r\n\r\n`,
        )
        const whole = text.split('\n').slice(0, cut).join('\n')
        await new Promise((resolve) => socket.write(`${whole}\n{"type":"PostTr`, resolve))
        await new Promise((resolve) => socket.once('data', resolve))
        socket.destroy()
      }
      await eventually(async () => (await posted()).length === 777, 'whole lines are done once')
      const again = await answerTo(
        ...([server, 'POST', `/ledgers/${ledger}/commands?results=errors`, ndjson] as const),
        lines(0, 1_000),
      )
      expect(again.lines).deep.equal([{ end: true, accepted: 1_000, refused: 0, failed: 0 }])
      expect((await posted()).length).equal(1_000)
    })
  })

  it('has read models that are the fold of its log, after all of this', async () => {
    const log = await readLog(join(folder, 'events.db'))
    expect(await checkReadModels(join(folder, 'read-models'), log)).deep.equal([])
  })
})

/** Whether the socket takes more within a time that a server at work always keeps. */
function drainedSoon(socket: ReturnType<typeof createConnection>): Promise<boolean> {
  return new Promise((resolve) => {
    const onDrain = () => {
      clearTimeout(timer)
      resolve(true)
    }
    const timer = setTimeout(() => {
      socket.off('drain', onDrain)
      resolve(false)
    }, 1_500)
    socket.once('drain', onDrain)
  })
}

const odd: readonly [unknown, ...unknown[]] = [
  null,
  ...[true, 0, -1, 1e300, '', ' ', '0', '1', '-1', '1e9', 'bank', 'CZK/2', '\0', '\u202e'],
  ...['__proto__', 'constructor', 'toString', '🦊', 'a'.repeat(300), '9'.repeat(38)],
  ...[[], {}, [[]], { a: 1 }, ['bank'], '2026-01-31T09:30:00Z', '0000-00-00T00:00:00Z'],
]

/** A transaction with some parts replaced, left out, doubled or added, by the seed. */
function mutated(chance: Seeded): unknown {
  const mutate = (value: unknown, isKept: number): unknown => {
    if (!chance.happens(isKept)) return chance.pick(odd)
    if (Array.isArray(value)) {
      const items = value.map((item) => mutate(item, 0.97))
      return chance.happens(0.1) ? [...items, ...items] : items
    }
    if (typeof value !== 'object' || value === null) return value
    const members = Object.entries(value).filter(() => chance.happens(0.98))
    if (chance.happens(0.03)) members.push([String(chance.pick(odd)), chance.pick(odd)])
    return Object.fromEntries(members.map(([key, member]) => [key, mutate(member, 0.95)]))
  }
  const postings = Array.from({ length: 1 + chance.below(3) }, () => ({
    ...{ amount: String(1 + chance.below(99)), asset: 'CZK/2', from: 'bank' },
    to: `customers:${chance.below(9)}`,
  }))
  const more = { reference: 'r', metadata: { a: 'b' }, effectiveAt: '2026-01-31T09:30:00+01:00' }
  return mutate({ id: `f${chance.below(1e9)}`, postings, ...more }, 0.99)
}
