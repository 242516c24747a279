import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { type ImportCommand, importCsv } from '../../app/cli/import.ts'
import { plainHeader, plainMapping, useFolder } from './import-fixture.ts'
import { createInMemoryLedger } from './in-memory-sink.ts'

const row = '1,a,2024-01-01,10.00,10.00\n'

describe('import command', () => {
  const folder = useFolder()

  async function run(
    csv: string,
    options: Partial<ImportCommand> & { readonly terminal?: boolean } = {},
    mapping: object = plainMapping,
  ): Promise<{ code: number; out: string; err: string }> {
    const file = await folder.write('bank.csv', csv)
    const mappingFile = await folder.write('mapping.json', JSON.stringify(mapping))
    const err = Object.assign(new PassThrough(), { isTTY: options.terminal ?? false })
    let out = ''
    const code = await importCsv(
      { file, mapping: mappingFile, ...options },
      createInMemoryLedger().open,
      { out: (text) => (out += text), err },
    )
    err.end()
    return { code, out, err: String(err.read() ?? '') }
  }

  it('exits 0 when all of the file is in the ledger', async () => {
    const { code, out } = await run(plainHeader + row)
    expect(code).to.equal(0)
    expect(out).to.match(/^Imported .*bank\.csv into ledger plain\./)
    expect(out).to.include('1 posted, 0 there already, 0 refused')
  })

  it('exits 1 and lists each row that is wrong', async () => {
    const { code, out } = await run(`${plainHeader}${row}2,a,2024-01-02,1.00,99.00\n`)
    expect(code).to.equal(1)
    expect(out).to.include('so nothing was sent')
    expect(out).to.include(
      'line 3: balance-differs customers:a: expected 11.00 EUR, found 99.00 EUR',
    )
  })

  it('exits 2 and lists all that is wrong with a mapping', async () => {
    const mapping = { ...plainMapping, account: '{who}', transaction: { id: '{what}' } }
    const { code, out } = await run(plainHeader + row, {}, mapping)
    expect(code).to.equal(2)
    expect(out).to.match(/\/account {2}there is no column "who"; the file has "id", /)
    expect(out).to.match(/\/transaction\/id {2}there is no column "what"/)
  })

  it('exits 2 for a file that is not there', async () => {
    const { code, out, err } = await run(row, { file: '/does/not/exist.csv' })
    expect(code).to.equal(2)
    expect(out).to.equal('')
    expect(err).to.equal('evident: /does/not/exist.csv is not there\n')
  })

  it('prints one JSON document with --json, also of what is wrong', async () => {
    const good = await run(plainHeader + row, { json: true, terminal: true })
    expect(JSON.parse(good.out)).to.deep.include({ outcome: 'done', ledger: 'plain' })
    expect(good.err).to.equal('')
    const bad = await run(plainHeader + row, { json: true }, { ...plainMapping, ledger: 'X' })
    expect(JSON.parse(bad.out)).to.have.nested.property('problems[0].pointer', '/ledger')
  })

  it('opens no ledger for a dry run', async () => {
    const file = await folder.write('bank.csv', plainHeader + row)
    const mapping = await folder.write('mapping.json', JSON.stringify(plainMapping))
    const fail = () => Promise.reject(new Error('opened'))
    const terminal = { out: () => {}, err: new PassThrough() }
    expect(await importCsv({ file, mapping, dryRun: true }, fail, terminal)).to.equal(0)
  })

  it('draws progress on a terminal only, without colours', async () => {
    expect((await run(plainHeader + row)).err).to.equal('')
    const { err } = await run(plainHeader + row, { terminal: true })
    expect(err).to.match(/Checking .*Posting /s)
    const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`)
    expect(err).not.to.match(colours) // it may move the cursor
  })

  it('lets no text of the file command the terminal', async () => {
    const { out } = await run(`${plainHeader}1,a,2024-01-01,\u001b[2J,1.00\n`)
    expect(out).not.to.include('\u001b')
  })
})
