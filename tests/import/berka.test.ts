import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { checkFile } from '../../app/import/check-file.ts'
import { readMapping } from '../../app/import/mapping.ts'
import { runImport } from '../../app/import/run-import.ts'
import { finalBalances } from '../../examples/berka/final-balances.ts'
import { createInMemoryLedger } from './in-memory-sink.ts'

const data = fileURLToPath(new URL('../../../shared/data/berka/trans-1993.asc', import.meta.url))
const mappingFile = new URL('../../examples/berka/mapping.json', import.meta.url)

describe('a bank’s year (Berka, 1993)', () => {
  before(function skipWithoutTheData() {
    if (!existsSync(data)) this.skip()
  })

  it('has 28,205 balances that all follow, within 0.10 CZK', async () => {
    const mapping = readMapping(await readFile(mappingFile, 'utf8'))
    const { problems, reconciled, rowsRead } = await checkFile(data, mapping)
    expect(problems).to.deep.equal([])
    expect([rowsRead, reconciled.balancesChecked]).to.deep.equal([28_205, 28_205])
    const balances = new Map<string, bigint>()
    for (const { movement, rounding } of reconciled.movements) {
      const after = (balances.get(movement.account) ?? 0n) + movement.amount + rounding
      expect(after).to.equal(movement.balance)
      balances.set(movement.account, after)
    }
  })

  it('is imported whole, ends in the balances the file itself ends in, and only once', async () => {
    const mapping = readMapping(await readFile(mappingFile, 'utf8'))
    const ledger = createInMemoryLedger()
    const options = { file: data, mapping, openSink: ledger.open }
    const first = await runImport(options)
    expect(first.outcome).to.equal('done')
    expect(first.transactions.posted).to.equal(28_205)
    expect(ledger.balanceOf('bank:rounding', 'CZK/2')).to.equal(3_320n)
    const expected = finalBalances(await readFile(data, 'latin1'))
    expect(expected.size).to.equal(1_139)
    for (const [account, balance] of expected) {
      expect(ledger.balanceOf(`customers:${account}`, 'CZK/2'), account).to.equal(balance)
    }
    const second = await runImport(options)
    expect(second.transactions).to.include({ posted: 0, replayed: 28_205 })
  })
})
