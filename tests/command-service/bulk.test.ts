import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { maxBytesUnderWay, maxLinesUnderWay, runBulk } from '../../command-service/bulk.ts'
import type { Outcome } from '../../command-service/command.ts'
import type { LedgerRejectionCode } from '../../command-service/domain/ledger/rejections.ts'
import type { LedgerEvent } from '../../events/ledger.ts'
import { eventually } from '../eventually.ts'
import { pay } from './ledger-under-test.ts'

type LedgerOutcome = Outcome<LedgerEvent, LedgerRejectionCode>

/** A bulk whose commands are answered only when the test says so. */
function startBulk(lines: readonly string[]) {
  const waiting: ((outcome: LedgerOutcome) => void)[] = []
  const seen = { handled: 0, mostWaiting: 0 }
  async function* body() {
    for (const line of lines) yield Buffer.from(`${line}\n`)
  }
  const results = runBulk(body(), {
    ledger: 'demo',
    routes: {
      handle: () =>
        new Promise((resolve) => {
          waiting.push(resolve)
          seen.handled += 1
          seen.mostWaiting = Math.max(seen.mostWaiting, waiting.length)
        }),
      room: () => undefined,
      deadline: () => Number.MAX_SAFE_INTEGER,
      newId: randomUUID,
    },
    caller: 'anonymous',
    keyPrefix: undefined,
    trace: {},
    onlyErrors: true,
  })
  const answerAll = (): void => {
    for (const resolve of waiting.splice(0)) {
      resolve({ status: 'accepted', revision: 1n, events: [], replayed: false })
    }
  }
  return { results, seen, answerAll }
}

const readAll = async (results: AsyncIterable<string>): Promise<string> =>
  (await Array.fromAsync(results)).join('')

describe('a bulk under way', () => {
  const postings = Array.from({ length: 1_000 }, (_, n) => ({
    amount: '1',
    asset: 'CZK/2',
    from: 'bank',
    to: `customers:${'x'.repeat(200)}:${n}`,
  }))
  const lineOf = (n: number) => JSON.stringify({ ...pay(`t${n}`, '1', 'bank', 'a'), postings })

  it('takes lines of a thousand postings by their bytes, and goes on as they are answered', async () => {
    const lines = Array.from({ length: 200 }, (_, n) => lineOf(n))
    const atOnce = Math.floor(maxBytesUnderWay / Buffer.byteLength(lines.at(-1) ?? ''))
    const { results, seen, answerAll } = startBulk(lines)
    const answer = readAll(results)
    await eventually(() => seen.handled >= atOnce, 'it takes what it may')
    for (let turn = 0; turn < 100; turn += 1) await nextTurn()
    expect(seen.handled).within(atOnce, atOnce + 1)
    const answering = setInterval(answerAll, 1)
    expect(await answer).equal('{"end":true,"accepted":200,"refused":0,"failed":0}\n')
    clearInterval(answering)
    expect(seen.mostWaiting).lessThanOrEqual(atOnce + 1)
  })

  it('takes short lines by their number', async () => {
    const lines = Array.from({ length: maxLinesUnderWay + 100 }, (_, n) =>
      JSON.stringify(pay(`t${n}`, '1', 'bank', 'a')),
    )
    const { results, seen, answerAll } = startBulk(lines)
    const answer = readAll(results)
    await eventually(() => seen.handled >= maxLinesUnderWay, 'it takes what it may')
    for (let turn = 0; turn < 100; turn += 1) await nextTurn()
    expect(seen.handled).equal(maxLinesUnderWay)
    const answering = setInterval(answerAll, 1)
    expect(await answer).match(/"accepted":4196,/)
    clearInterval(answering)
  })
})
