import { connect } from 'node:net'
import { transaction } from './bank.ts'

/**
 * A load generator that costs little: each connection sends one prepared request after the other
 * and looks at no more of an answer than its status and its length. A process of its own.
 */
export interface Load {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  readonly accounts: number
  readonly ledger: string
  readonly prefix: string
  /** What to send: transactions one by one, or GET of one path. */
  readonly path?: string
}

export interface LoadReport {
  readonly requests: number
  readonly seconds: number
  readonly failures: number
  /** A sample of latencies, in milliseconds. */
  readonly latenciesMs: readonly number[]
}

function requestOf(load: Load, n: number): string {
  if (load.path !== undefined) return `GET ${load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
  const body = JSON.stringify(transaction(n, load.accounts, load.prefix))
  return (
    `POST /ledgers/${load.ledger}/transactions HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
}

async function run(load: Load): Promise<LoadReport> {
  const latenciesMs: number[] = []
  let requests = 0
  let failures = 0
  let next = 0
  const startedAt = performance.now()
  const until = startedAt + load.seconds * 1_000

  const client = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(load.port, '127.0.0.1')
      let sentAt = 0
      let received = ''
      const send = () => {
        sentAt = performance.now()
        if (sentAt >= until) {
          socket.destroy()
          resolve()
          return
        }
        socket.write(requestOf(load, next))
        next += 1
      }
      socket.setNoDelay()
      socket.setEncoding('latin1')
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('data', (text: string) => {
        received = received === '' ? text : received + text
        const head = received.indexOf('\r\n\r\n')
        if (head < 0) return
        const lengthAt = received.indexOf('Content-Length: ') + 16
        const length = Number.parseInt(received.slice(lengthAt, lengthAt + 10), 10)
        if (received.length < head + 4 + length) return
        if (received.charCodeAt(9) !== 0x32) failures += 1 // not 2xx
        requests += 1
        latenciesMs.push(performance.now() - sentAt)
        received = ''
        send()
      })
    })
  await Promise.all(Array.from({ length: load.connections }, client))
  const seconds = (performance.now() - startedAt) / 1_000
  const step = Math.max(1, Math.floor(latenciesMs.length / 20_000))
  return {
    requests,
    seconds,
    failures,
    latenciesMs: latenciesMs.filter((_, index) => index % step === 0),
  }
}

process.on('message', async (load: Load) => {
  process.send?.(await run(load), () => process.disconnect())
})
