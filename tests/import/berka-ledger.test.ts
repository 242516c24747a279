import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { pino } from 'pino'
import { loadConfig } from '../../app/config.ts'
import { createHttpCommandSink } from '../../app/import/http-command-sink.ts'
import { noProgress } from '../../app/import/import-progress.ts'
import { readMapping } from '../../app/import/mapping.ts'
import { runImport } from '../../app/import/run-import.ts'
import { type Evident, openEvident } from '../../app/open-evident.ts'
import { ledgerCodec } from '../../events/ledger.ts'
import { finalBalances } from '../../examples/berka/final-balances.ts'

const data = fileURLToPath(new URL('../../../shared/data/berka/trans-1993.asc', import.meta.url))
const mappingFile = new URL('../../examples/berka/mapping.json', import.meta.url)

describe('a bank’s year in the ledger (Berka, 1993)', () => {
  let folder = ''
  let evident: Evident | undefined

  before(async function openWithTheData() {
    if (!existsSync(data)) return this.skip()
    folder = await mkdtemp(join(tmpdir(), 'evident-berka-'))
    const config = loadConfig({
      EVENT_STORE: `sqlite:${join(folder, 'events.db')}`,
      READ_MODELS: `sqlite:${join(folder, 'read-models')}`,
    })
    evident = await openEvident(
      { ...config, dataFolder: folder, port: 0 },
      pino({ level: 'silent' }),
    )
  })
  after(async () => {
    await evident?.close()
    if (folder !== '') await rm(folder, { recursive: true, force: true })
  })

  it('goes on after an interruption over HTTP, once each, to the balances of the file', async () => {
    if (!evident) throw new Error('it is not open')
    const sink = createHttpCommandSink({ url: evident.url })
    const stop = new AbortController()
    const options = {
      file: data,
      mapping: readMapping(await readFile(mappingFile, 'utf8')),
      openSink: async () => ({ sink, close: async () => {} }),
    }
    const first = await runImport({
      ...options,
      signal: stop.signal,
      progress: { ...noProgress, posting: () => stop.abort() }, // what is on its way is still answered,
    })
    expect(first.outcome).to.equal('interrupted')
    expect(first.transactions.posted).to.be.within(1, 28_204)

    const second = await runImport(options)
    expect(second.outcome).to.equal('done')
    expect(second.transactions.posted + second.transactions.replayed).to.equal(28_205)
    const third = await runImport(options)
    expect(third.transactions).to.include({ posted: 0, replayed: 28_205 })
    expect(third.lastRevision).to.equal(second.lastRevision)

    const { balances, transactions } = await foldLog(evident)
    expect(transactions).to.equal(28_205)
    for (const [account, balance] of finalBalances(await readFile(data, 'latin1'))) {
      expect(balances.get(`customers:${account}`), account).to.equal(balance)
    }
    expect(balances.get('bank:rounding')).to.equal(3_320n)
    expect([...balances.values()].reduce((sum, balance) => sum + balance, 0n)).to.equal(0n)
  }).timeout(60_000)
})

/** Balances by the log's bytes alone. */
async function foldLog({ writeSide }: Evident) {
  const balances = new Map<string, bigint>()
  let transactions = 0
  for await (const batch of writeSide.store.readStream('ledger-berka')) {
    for (const recorded of batch) {
      const event = ledgerCodec.decode(recorded)
      if (event.type !== 'TransactionPosted') continue
      transactions += 1
      for (const { amount, from, to } of event.data.postings) {
        balances.set(from, (balances.get(from) ?? 0n) - BigInt(amount))
        balances.set(to, (balances.get(to) ?? 0n) + BigInt(amount))
      }
    }
  }
  return { balances, transactions }
}
