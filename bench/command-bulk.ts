import { openingLines, sendBulk, transactionLines } from './bank.ts'
import { median, print, round, spreadOf } from './result.ts'
import { newFolder, removeFolder, startService } from './service.ts'

/** The same transactions through the bulk route, from one client. */
const accounts = 10_000
const [count, repeats] = [200_000, 5]

const folder = newFolder()
const service = await startService(folder)
try {
  await sendBulk(service.url, 'bank', openingLines(accounts))
  await sendBulk(service.url, 'bank', transactionLines(0, count / 2, accounts))
  await service.level()
  const rates: number[] = []
  const lags: number[] = []
  const costs: number[] = []
  for (let run = 1; run <= repeats; run += 1) {
    const lines = [...transactionLines(run * count, count, accounts)]
    const before = await service.usage()
    const seconds = await sendBulk(service.url, 'bank', lines)
    rates.push(count / seconds)
    lags.push((await service.level()) / seconds)
    const { cpuSeconds } = await service.usage()
    costs.push((cpuSeconds - before.cpuSeconds) / count)
  }
  const [low, high] = spreadOf(rates)
  print({
    name: 'command-bulk',
    value: Math.round(median(rates)),
    unit: 'commands/s',
    spread: [Math.round(low), Math.round(high)],
    also: {
      levelAfterShareOfRun: round(median(lags)),
      cpuMicroseconds: round(median(costs) * 1e6),
    },
  })
} finally {
  await service.stop()
  removeFolder(folder)
}
