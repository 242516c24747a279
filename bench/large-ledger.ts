import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openingLines, sendBulk, transaction, transactionLines } from './bank.ts'
import { median, print, round, spreadOf } from './result.ts'
import { newFolder, removeFolder, type Service, startService } from './service.ts'

/**
 * One ledger of 100,000 accounts and 1,000,000 transactions. Prints three figures: `memory` of the
 * service after it took that load, `cold-start` to the first command answered, and `growth`, what a
 * command costs the processor then over what it cost at the beginning.
 */
const accounts = 100_000
const [transactions, perBulk, probe] = [1_000_000, 100_000, 20_000]
const starts = 5

/** Processor seconds of the service for one command, all its threads together. */
async function costOfCommand(service: Service, from: number): Promise<number> {
  const before = await service.usage()
  await sendBulk(service.url, 'bank', transactionLines(from, probe, accounts))
  await service.level()
  const after = await service.usage()
  return (after.cpuSeconds - before.cpuSeconds) / probe
}

/** Seconds from the start of the process to the first command answered. */
async function start(folder: string, n: number): Promise<{ seconds: number; service: Service }> {
  const startedAt = performance.now()
  const service = await startService(folder)
  for (;;) {
    const answer = await fetch(`${service.url}/ledgers/bank/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(transaction(n, accounts, 'start')),
    })
    await answer.text()
    if (answer.status === 201) break
    // without a snapshot the fold takes longer than a command may wait: it is sent again
    if (answer.status !== 503) throw new Error(`the first command was answered ${answer.status}`)
  }
  return { seconds: (performance.now() - startedAt) / 1_000, service }
}

const folder = newFolder()
try {
  const service = await startService(folder)
  await sendBulk(service.url, 'bank', openingLines(accounts))
  await costOfCommand(service, 10 * transactions) // warms up
  const atFirst = await costOfCommand(service, 11 * transactions)
  const idleBytes = (await service.usage()).rssBytes
  for (let from = 0; from < transactions; from += perBulk) {
    await sendBulk(service.url, 'bank', transactionLines(from, perBulk, accounts))
    await service.level()
  }
  const { rssBytes } = await service.usage()
  const atLast = await costOfCommand(service, 12 * transactions)
  await service.stop()

  const withSnapshot: number[] = []
  const withoutSnapshot: number[] = []
  for (let n = 0; n < starts; n += 1) {
    const started = await start(folder, n)
    withSnapshot.push(started.seconds)
    await started.service.stop()
  }
  for (const name of ['snapshots', 'ids']) rmSync(join(folder, name), { recursive: true })
  const started = await start(folder, starts)
  withoutSnapshot.push(started.seconds)
  await started.service.stop()

  const megabytes = (bytes: number) => Math.round(bytes / 1_000_000)
  print({
    name: 'memory',
    value: megabytes(rssBytes),
    unit: 'MB',
    spread: [megabytes(idleBytes), megabytes(rssBytes)],
  })
  print({
    name: 'cold-start',
    value: round(median(withSnapshot)),
    unit: 's',
    spread: spreadOf(withSnapshot.map((seconds) => round(seconds))),
    also: { withoutSnapshotSeconds: round(median(withoutSnapshot)) },
  })
  print({
    name: 'growth',
    value: round(atLast / atFirst),
    unit: 'ratio',
    spread: [round(atLast / atFirst), round(atLast / atFirst)],
    ratio: round(atLast / atFirst),
    also: { firstMicroseconds: round(atFirst * 1e6), lastMicroseconds: round(atLast * 1e6) },
  })
} finally {
  removeFolder(folder)
}
