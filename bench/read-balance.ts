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
  readonly requests: { readonly average: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly non2xx: number
  readonly errors: number
}

async function measure(url: string): Promise<Report> {
  const options = ['--json', '--connections', String(connections), '--duration', String(seconds)]
  const { stdout } = await run(process.execPath, [autocannon, ...options, url])
  const report: Report = JSON.parse(stdout)
  if (report.non2xx + report.errors > 0) throw new Error(`${url}: some requests failed`)
  return report
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
  const bareUrl = `http://127.0.0.1:${port}${path}`

  for (const url of [bareUrl, service.url + path]) await measure(url) // warm-up
  const ours: Report[] = []
  const rates: number[] = []
  const ratios: number[] = []
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const limit = await measure(bareUrl)
    const report = await measure(service.url + path)
    ours.push(report)
    rates.push(report.requests.average)
    ratios.push(report.requests.average / limit.requests.average)
  }
  const [low, high] = spreadOf(rates)
  print({
    name: 'read-balance',
    value: round(median(rates), 0),
    unit: 'requests/s',
    spread: [round(low, 0), round(high, 0)],
    p50Ms: median(ours.map(({ latency }) => latency.p50)),
    p99Ms: median(ours.map(({ latency }) => latency.p99)),
    ratio: round(median(ratios)),
  })
} finally {
  bare.kill()
  await service.stop()
  removeFolder(folder)
}
