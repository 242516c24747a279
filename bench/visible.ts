import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { openingLines, sendBulk, transaction } from './bank.ts'
import { print, quantile, round } from './result.ts'
import { newFolder, removeFolder, startService } from './service.ts'

/**
 * From sending a command to having read what it changed, at 2,000 commands a second: every tenth
 * transaction is read back with `min-revision` of its answer.
 */
const accounts = 10_000
const [perSecond, seconds, warmUpSeconds] = [2_000, 15, 3]
const [tickMs, readEvery] = [1, 10]
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

const folder = newFolder()
const service = await startService(folder)
try {
  await sendBulk(service.url, 'bank', openingLines(accounts))
  await service.level()
  const seenMs: number[] = []
  const startedAt = performance.now()
  const sent: Promise<void>[] = []
  let number = 0

  /** `fetch` would cost this process more than the service needs for its answer. */
  const call = (method: string, path: string, body?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const outgoing = request(`${service.url}${path}`, { method, agent, headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part) => (text += part))
        answer.on('end', () => {
          const { statusCode = 0 } = answer
          if (statusCode < 300) resolve(text)
          else reject(new Error(`${method} ${path} was answered ${statusCode}`))
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  const sendOne = async (n: number): Promise<void> => {
    const sentAt = performance.now()
    const body = JSON.stringify(transaction(n, accounts))
    const { revision } = JSON.parse(await call('POST', '/ledgers/bank/transactions', body))
    if (n % readEvery !== 0) return
    await call('GET', `/ledgers/bank/transactions/t-${n}?min-revision=${revision}`)
    if (sentAt - startedAt > warmUpSeconds * 1_000) seenMs.push(performance.now() - sentAt)
  }

  while (performance.now() - startedAt < (warmUpSeconds + seconds) * 1_000) {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond
    for (; number < due; number += 1) sent.push(sendOne(number))
    await pause(tickMs)
  }
  await Promise.all(sent)
  const [p50Ms, p99Ms] = [quantile(seenMs, 0.5), quantile(seenMs, 0.99)]
  print({
    name: 'visible',
    value: round(p99Ms),
    unit: 'ms (p99)',
    spread: [round(Math.min(...seenMs)), round(Math.max(...seenMs))],
    p50Ms: round(p50Ms),
    p99Ms: round(p99Ms),
    also: { commandsPerSecond: Math.round(number / (warmUpSeconds + seconds)) },
  })
} finally {
  agent.destroy()
  await service.stop()
  removeFolder(folder)
}
