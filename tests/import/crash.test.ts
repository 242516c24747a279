import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ImportReport } from '../../app/import/import-report.ts'
import { readLog } from '../crash/logged.ts'
import { type Seeded, seeded } from '../crash/seeded.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type EvidentProcess, startEvident } from './evident-process.ts'
import { plainHeader, plainMapping } from './import-fixture.ts'

const rows = 3_000
const kills = 2

/** How far the write-ahead log has grown when something is killed: within the posting of the rows. */
const minBytes = 50_000
const maxBytes = 600_000

describe('kill -9 in the middle of an import', function () {
  this.timeout(120_000)
  const root = temporaryFolder()
  const csv = join(root, 'bank.csv')
  const mapping = join(root, 'mapping.json')
  const expected = writeBank(csv, seeded(11))
  writeFileSync(mapping, JSON.stringify(plainMapping))
  const chance = seeded(12)
  const undisturbed: { report?: ImportReport } = {}

  const startImport = (...where: readonly string[]): EvidentProcess =>
    startEvident(['import', csv, '--mapping', mapping, '--json', ...where])

  async function reportOf(process: EvidentProcess): Promise<ImportReport> {
    await process.exitCode
    return JSON.parse(process.out())
  }

  /** Waits until so much has been written as the seed says, or it is all over. */
  async function untilSomewhere(folder: string, process: EvidentProcess): Promise<void> {
    const bytes = minBytes + chance.below(maxBytes - minBytes)
    let isOver = false
    void process.exitCode.then(() => {
      isOver = true
    })
    const size = (): number =>
      statSync(join(folder, 'events.db-wal'), { throwIfNoEntry: false })?.size ?? 0
    const before = size()
    await eventually(() => isOver || size() >= before + bytes, 'it is in the middle', 30_000)
  }

  /** The log holds the file, each row once; the report of the last run says so. */
  async function checkAll(folder: string, report: ImportReport): Promise<void> {
    expect(report.outcome).equal('done')
    const { posted, replayed, ...others } = report.transactions
    expect(posted + replayed).equal(rows)
    expect(others).deep.equal({ planned: rows, refused: 0, unanswered: 0 })
    const log = await readLog(join(folder, 'events.db'))
    const transactions = log.flatMap(({ event }) =>
      event.type === 'TransactionPosted' ? [event.data] : [],
    )
    expect(transactions).length(rows)
    expect(new Set(transactions.map(({ id }) => id)).size).equal(rows)
    const balances = new Map<string, bigint>()
    for (const { from, to, amount } of transactions.flatMap(({ postings }) => postings)) {
      balances.set(from, (balances.get(from) ?? 0n) - BigInt(amount))
      balances.set(to, (balances.get(to) ?? 0n) + BigInt(amount))
    }
    expect(balances).deep.equal(expected)
    undisturbed.report ??= report
    const { seconds, accounts, transactions: _, ...figures } = report
    const { opened, replayed: there, alreadyThere } = accounts
    expect(opened + there + alreadyThere).equal(undisturbed.report.accounts.opened)
    expect(undisturbed.report).deep.include(figures)
    const server = await startServer(folder).serving // makes the read models, where nobody served it
    server.signal('SIGTERM')
    expect(await server.ended, server.log()).equal(0)
    const verifying = startEvident(['verify', '--data', folder])
    expect(await verifying.exitCode, verifying.out() + verifying.err()).equal(0)
  }

  it('is what it is measured against: an import that nobody disturbs', async () => {
    const folder = join(root, 'undisturbed')
    const report = await reportOf(startImport('--data', folder))
    await checkAll(folder, report)
    expect(report.transactions.posted).equal(rows)
  })

  it('of the importer on a data folder: the same command again ends as if it had not been', async () => {
    const folder = join(root, 'folder')
    for (let kill = 0; kill < kills; kill += 1) {
      const importing = startImport('--data', folder)
      await untilSomewhere(folder, importing)
      importing.kill()
      await importing.exitCode
    }
    const report = await reportOf(startImport('--data', folder))
    expect(report.transactions.replayed).within(1, rows)
    await checkAll(folder, report)
  })

  it('of the importer over HTTP: the same, and the server goes on', async () => {
    const folder = join(root, 'http')
    const server = await startServer(folder).serving
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        const importing = startImport('--url', server.url)
        await untilSomewhere(folder, importing)
        importing.kill()
        await importing.exitCode
      }
      const report = await reportOf(startImport('--url', server.url))
      expect(report.transactions.replayed).within(1, rows)
      server.signal('SIGTERM')
      expect(await server.ended, server.log()).equal(0)
      await checkAll(folder, report)
    } finally {
      server.signal('SIGKILL')
    }
  })

  it('of the server that it talks to: it says that it was cut, and goes on when told to', async () => {
    const folder = join(root, 'server')
    let server: ServerProcess | undefined
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        server = await startServer(folder).serving
        const importing = startImport('--url', server.url)
        await untilSomewhere(folder, importing)
        server.signal('SIGKILL')
        await server.ended
        const report = await reportOf(importing)
        if (report.outcome === 'done') continue // it was over before
        expect(report.outcome).equal('interrupted')
        expect(await importing.exitCode).equal(75)
      }
      server = await startServer(folder).serving
      const report = await reportOf(startImport('--url', server.url))
      server.signal('SIGTERM')
      expect(await server.ended, server.log()).equal(0)
      await checkAll(folder, report)
    } finally {
      server?.signal('SIGKILL')
    }
  })
})

/** Writes a bank's file, some of its amounts rounded, and returns what every account ends with. */
function writeBank(path: string, { below, happens }: Seeded): ReadonlyMap<string, bigint> {
  const ends = new Map<string, bigint>()
  const add = (account: string, amount: bigint) =>
    ends.set(account, (ends.get(account) ?? 0n) + amount)
  let text = plainHeader
  for (let row = 0; row < rows; row += 1) {
    const account = `c${below(60)}`
    const moved = BigInt((happens(0.5) ? 1 : -1) * (100 + below(100_000)))
    const written = moved + BigInt(happens(0.05) ? below(11) - 5 : 0)
    add(`customers:${account}`, moved)
    add('bank:cash', -written)
    if (written !== moved) add('bank:rounding', written - moved)
    const day = `2024-01-${String(1 + Math.floor((row * 28) / rows)).padStart(2, '0')}`
    const balance = ends.get(`customers:${account}`) ?? 0n
    text += `${row},${account},${day},${decimal(written)},${decimal(balance)}\n`
  }
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return ends
}

function decimal(amount: bigint): string {
  const digits = String(amount < 0n ? -amount : amount).padStart(3, '0')
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}
