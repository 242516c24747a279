import { openingLines, sendBulk } from './bank.ts'
import { generateLoad } from './load.ts'
import { median, print, quantile, round, spreadOf } from './result.ts'
import { newFolder, removeFolder, startService } from './service.ts'

/** PostTransaction, one a request, over 64 connections and 10,000 accounts, everything running. */
const accounts = 10_000
const [connections, seconds, repeats] = [64, 6, 5]

const folder = newFolder()
const service = await startService(folder)
try {
  await sendBulk(service.url, 'bank', openingLines(accounts))
  const port = Number(new URL(service.url).port)
  const load = { port, connections, seconds, accounts, ledger: 'bank' }
  await generateLoad({ ...load, prefix: 'warm-up' })
  await service.level()
  const rates: number[] = []
  const p50s: number[] = []
  const p99s: number[] = []
  const levels: number[] = []
  const costs: number[] = []
  for (let run = 0; run < repeats; run += 1) {
    const before = await service.usage()
    const report = await generateLoad({ ...load, prefix: `run-${run}` })
    rates.push(report.requests / report.seconds)
    p50s.push(quantile(report.latenciesMs, 0.5))
    p99s.push(quantile(report.latenciesMs, 0.99))
    levels.push(await service.level())
    const { cpuSeconds } = await service.usage()
    costs.push((cpuSeconds - before.cpuSeconds) / report.requests)
  }
  const [low, high] = spreadOf(rates)
  print({
    name: 'command-http',
    value: Math.round(median(rates)),
    unit: 'commands/s',
    spread: [Math.round(low), Math.round(high)],
    p50Ms: round(median(p50s)),
    p99Ms: round(median(p99s)),
    also: {
      levelAfterSeconds: round(median(levels)),
      cpuMicroseconds: round(median(costs) * 1e6),
    },
  })
} finally {
  await service.stop()
  removeFolder(folder)
}
