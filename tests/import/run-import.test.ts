import { expect } from 'chai'
import { readMapping } from '../../app/import/mapping.ts'
import { runImport } from '../../app/import/run-import.ts'
import { plainHeader, plainMapping, useFolder } from './import-fixture.ts'
import { createInMemoryLedger } from './in-memory-sink.ts'

const rows = Array.from({ length: 60 }, (_, index) => {
  const day = String((index % 28) + 1).padStart(2, '0')
  const month = String(Math.floor(index / 28) + 1).padStart(2, '0')
  return `${index},a,2024-${month}-${day},1.00,${index + 1}.00\n`
}).join('')

describe('import run', () => {
  const folder = useFolder()
  const mapping = readMapping(JSON.stringify(plainMapping))
  const file = () => folder.write('a.csv', plainHeader + rows)

  it('posts every row, and a second run adds nothing', async () => {
    const ledger = createInMemoryLedger()
    const options = { file: await file(), mapping, openSink: ledger.open }
    const first = await runImport(options)
    const second = await runImport(options)
    expect(first.outcome).to.equal('done')
    expect(first.transactions).to.include({ planned: 60, posted: 60, replayed: 0, unanswered: 0 })
    expect(first.accounts).to.deep.equal({ opened: 2, replayed: 0, alreadyThere: 0 })
    expect(second.outcome).to.equal('done')
    expect(second.transactions).to.include({ posted: 0, replayed: 60 })
    expect(ledger.posted.length).to.equal(60)
    expect(ledger.balanceOf('customers:a', 'EUR/2')).to.equal(6000n)
  })

  it('goes on after an interruption at any place, and ends the same', async () => {
    const path = await file()
    for (const answers of [0, 1, 2, 3, 17, 62]) {
      const ledger = createInMemoryLedger()
      const options = { file: path, mapping, openSink: ledger.open }
      ledger.answers = answers
      const cut = await runImport(options)
      expect(cut.outcome).to.equal('interrupted')
      expect(cut.transactions.unanswered).to.equal(60 - Math.max(0, answers - 3))
      ledger.answers = Number.POSITIVE_INFINITY
      const whole = await runImport(options)
      expect(whole.outcome).to.equal('done')
      expect(whole.transactions.replayed).to.equal(Math.max(0, answers - 3))
      expect(ledger.posted.length).to.equal(60)
    }
  })

  it('stops sending at the signal and reports what was answered', async () => {
    const ledger = createInMemoryLedger()
    const stop = new AbortController()
    const progress = {
      checking() {},
      posting: (answered: number) => answered === 10 && stop.abort(),
      stop() {},
    }
    const report = await runImport({
      file: await file(),
      mapping,
      openSink: ledger.open,
      signal: stop.signal,
      progress: { ...progress, posting: (answered) => void progress.posting(answered) },
    })
    expect(report.outcome).to.equal('interrupted')
    expect(report.interruption).to.equal('stopped on request')
    expect(report.transactions.posted).to.equal(7)
  })

  it('sends nothing in a dry run', async () => {
    const report = await runImport({ file: await file(), mapping, openSink: undefined })
    expect(report).to.deep.include({ outcome: 'checked', dryRun: true })
    expect(report.transactions).to.include({ planned: 60, unanswered: 60 })
    expect(report.balances).to.deep.equal({ checked: 60, differing: 0, reordered: 0 })
  })

  it('sends nothing where anything is wrong, unless that is asked for, and says so either way', async () => {
    const path = await folder.write('a.csv', `${plainHeader}${rows}60,a,2024-12-01,oops,60.00\n`)
    const ledger = createInMemoryLedger()
    const options = { file: path, mapping, openSink: ledger.open }
    const refused = await runImport(options)
    expect(refused.outcome).to.equal('problems')
    expect(ledger.posted.length).to.equal(0)
    const despite = await runImport({ ...options, despiteProblems: true })
    expect(despite.outcome).to.equal('problems')
    expect(despite.problems.listed.map(({ line }) => line)).to.deep.equal([62])
    expect(ledger.posted.length).to.equal(60)
  })

  it('leaves what was there with other content, and lists what the ledger refuses', async () => {
    const ledger = createInMemoryLedger()
    await runImport({ file: await file(), mapping, openSink: ledger.open })
    const changed = rows.replace('0,a,2024-01-01,1.00', '0,a,2024-01-01,0.99')
    const path = await folder.write(
      'b.csv',
      `${plainHeader}${changed}60,a,2024-12-01,-99.00,-39.00\n`,
    )
    const report = await runImport({ file: path, mapping, openSink: ledger.open })
    expect(report.outcome).to.equal('refused')
    expect(report.accounts).to.deep.equal({ opened: 1, replayed: 1, alreadyThere: 1 }) // for rounding
    expect(report.refusals.byCode).to.deep.equal({
      'transaction-exists': 1,
      'insufficient-funds': 1,
    })
    expect(report.refusals.listed.map(({ line, subject }) => [line, subject])).to.deep.equal([
      [2, 't-0'],
      [62, 't-60'],
    ])
  })

  it('tells of which movements the roundings are', async () => {
    const path = await folder.write(
      'a.csv',
      `${plainHeader}1,a,2024-01-01,1.00,1.02\n2,a,2024-01-02,1.00,1.99\n3,a,2024-01-03,1.00,2.99\n`,
    )
    const { rounding } = await runImport({ file: path, mapping, openSink: undefined })
    expect(rounding).to.deep.equal({
      account: 'bank:rounding',
      rows: 2,
      parts: [{ counterAccount: 'bank:cash', asset: 'EUR/2', rows: 2, sum: '-1' }],
    })
  })
})
