import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openingLines, sendBulk } from './bank.ts'
import { median, print, round, spreadOf } from './result.ts'
import { newFolder, removeFolder, startService } from './service.ts'

/** GET one balance, over 64 connections, against a bare Koa route that answers the same bytes. */
const [connections, seconds, repeats, accounts] = [64, 3, 7, 1_000]
const run = promisify(execFile)
const autocannon = createRequire(import.meta.url).resolve('autocannon/autocannon.js')

interface Report {
  readonly requests: { readonly average: number; readonly total: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly non2xx: number
  readonly errors: number
}

/** One run, and the processor time that the server took for a request. */
interface Measured extends Report {
  readonly cpuMicros: number
}

type CpuSeconds = () => Promise<number>

async function measure(url: string, cpuSeconds: CpuSeconds): Promise<Measured> {
  const options = ['--json', '--connections', String(connections), '--duration', String(seconds)]
  const before = await cpuSeconds()
  const { stdout } = await run(process.execPath, [autocannon, ...options, url])
  const used = (await cpuSeconds()) - before
  const report: Report = JSON.parse(stdout)
  if (report.non2xx + report.errors > 0) throw new Error(`${url}: some requests failed`)
  return { ...report, cpuMicros: (used * 1e6) / report.requests.total }
}

const folder = newFolder()
const service = await startService(folder)
const bare = fork(fileURLToPath(new URL('./bare-koa.ts', import.meta.url)))
try {
  await sendBulk(service.url, 'bank', openingLines(accounts))
  await service.level()
  const { items } = (await (
    await fetch(`${service.url}/ledgers/bank/accounts?limit=1`)
  ).json()) as {
    items: { account: string }[]
  }
  const path = `/ledgers/bank/accounts/${items[0]?.account}`
  bare.send({ text: await (await fetch(service.url + path)).text() })
  const [{ port }] = (await once(bare, 'message')) as [{ port: number }]
  const measureBare = () =>
    measure(`http://127.0.0.1:${port}${path}`, async () => {
      bare.send('usage')
      const [usage] = (await once(bare, 'message')) as [{ cpuSeconds: number }]
      return usage.cpuSeconds
    })
  const measureOurs = () =>
    measure(service.url + path, async () => (await service.usage()).cpuSeconds)

  await measureBare() // warm-up
  await measureOurs()
  const limits: Measured[] = []
  const ours: Measured[] = []
  const ratios: number[] = []
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const limit = await measureBare()
    const report = await measureOurs()
    limits.push(limit)
    ours.push(report)
    ratios.push(report.requests.average / limit.requests.average)
  }
  const rates = ours.map(({ requests }) => requests.average)
  const [low, high] = spreadOf(rates)
  const cpuMicros = median(ours.map((report) => report.cpuMicros))
  const bareCpuMicros = median(limits.map((report) => report.cpuMicros))
  print({
    name: 'read-balance',
    value: round(median(rates), 0),
    unit: 'requests/s',
    spread: [round(low, 0), round(high, 0)],
    p50Ms: median(ours.map(({ latency }) => latency.p50)),
    p99Ms: median(ours.map(({ latency }) => latency.p99)),
    ratio: round(median(ratios)),
    also: {
      bareP99Ms: median(limits.map(({ latency }) => latency.p99)),
      cpuMicros: round(cpuMicros, 1),
      bareCpuMicros: round(bareCpuMicros, 1),
      cpuRatio: round(bareCpuMicros / cpuMicros),
    },
  })
} finally {
  bare.kill()
  await service.stop()
  removeFolder(folder)
}
