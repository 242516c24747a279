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
const [tickMs, readEvery] = [5, 10]

const folder = newFolder()
const service = await startService(folder)
try {
  await sendBulk(service.url, 'bank', openingLines(accounts))
  await service.level()
  const seenMs: number[] = []
  const startedAt = performance.now()
  const sent: Promise<void>[] = []
  let number = 0

  const sendOne = async (n: number): Promise<void> => {
    const sentAt = performance.now()
    const answer = await fetch(`${service.url}/ledgers/bank/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(transaction(n, accounts)),
    })
    const { revision } = (await answer.json()) as { revision: string }
    if (answer.status !== 201) throw new Error(`a command was answered ${answer.status}`)
    if (n % readEvery !== 0) return
    const url = `${service.url}/ledgers/bank/transactions/t-${n}?min-revision=${revision}`
    const read = await fetch(url)
    await read.text()
    if (read.status !== 200) throw new Error(`a read was answered ${read.status}`)
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
  await service.stop()
  removeFolder(folder)
}
