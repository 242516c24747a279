import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { checkMapping, InvalidMapping, readMapping } from '../../app/import/mapping.ts'
import { mappingSchema } from '../../app/import/mapping-schema.ts'
import { checkText, plainHeader, plainMapping, useFolder } from './import-fixture.ts'

const columns = ['id', 'account', 'date', 'amount', 'balance']

describe('mapping', () => {
  const folder = useFolder()

  it('is published for editors as the literal it is checked with', async () => {
    const path = new URL('../../app/import/mapping.schema.json', import.meta.url)
    expect(JSON.parse(await readFile(path, 'utf8'))).to.deep.equal(mappingSchema)
  })

  it('accepts the plain one', () => {
    expect(problemsOf(plainMapping)).to.deep.equal({})
  })

  it('tells every wrong column, with the columns there are', () => {
    const problems = problemsOf({
      ...plainMapping,
      account: 'customers:{acount}',
      amount: { column: 'amuont', positive: 'in' },
      counterAccounts: [{ when: { kind: ['x'] }, account: 'bank:cash' }],
      transaction: { id: '{id}', metadata: { note: '{memo}' } },
    })
    expect(Object.keys(problems)).to.have.members([
      '/account',
      '/amount/column',
      '/counterAccounts/0/when/kind',
      '/transaction/metadata/note',
    ])
    expect(problems['/account']).to.equal(
      'there is no column "acount"; the file has "id", "account", "date", "amount", "balance"',
    )
  })

  it('tells faults of every kind at once', () => {
    const problems = problemsOf({
      ...plainMapping,
      ledger: 'No Ledger',
      asset: undefined,
      colour: 'red',
      account: 'customers:{account',
      amount: { column: 'amount', positive: 'up' },
      file: { encoding: 'klingon', separator: '||' },
    })
    expect(Object.keys(problems)).to.have.members([
      '',
      '/ledger',
      '/amount/positive',
      '/file/separator',
      '/file/encoding',
      '/account',
    ])
    expect(problems['/amount/positive']).to.equal('must be one of "in", "out"')
    expect(problems['/account']).to.equal('has a { without a }')
  })

  const meanings: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    [
      'two ways to say the amount',
      { amount: { column: 'amount', positive: 'in', inColumn: 'id' } },
      '/amount',
    ],
    ['half a way to say the amount', { amount: { inColumn: 'amount' } }, '/amount'],
    [
      'a value that is both in and out',
      { amount: { column: 'amount', direction: { column: 'id', in: ['a'], out: ['a'] } } },
      '/amount/direction',
    ],
    [
      'a short year without its century',
      { date: { column: 'date', pattern: 'YYMMDD' } },
      '/date/pattern',
    ],
    ['a date without a day', { date: { column: 'date', pattern: 'YYYY-MM' } }, '/date/pattern'],
    [
      'a tolerance without an account for it',
      { runningBalance: { column: 'balance', tolerance: '5' } },
      '/runningBalance',
    ],
    [
      'a rounding account that is no address',
      { runningBalance: { column: 'balance', roundingAccount: 'a b' } },
      '/runningBalance/roundingAccount',
    ],
    ['an asset that is none', { asset: 'euro' }, '/asset'],
    [
      'one character for thousands and decimals',
      { numbers: { decimal: ',', thousands: ',' } },
      '/numbers/thousands',
    ],
    ['a condition that is no condition', { skipRows: [{ id: 'sometimes' }] }, '/skipRows/0/id'],
    ['characters no address may have', { account: 'my customers:{account}' }, '/account'],
    ['a fingerprint outside the id', { account: 'customers:{$row}' }, '/account'],
  ]
  for (const [name, part, pointer] of meanings) {
    it(`refuses ${name}`, () => {
      expect(Object.keys(problemsOf({ ...plainMapping, ...part }))).to.include(pointer)
    })
  }

  it('refuses a column that the file has twice', () => {
    const problems = problemsOf(plainMapping, [...columns, 'amount'])
    expect(problems['/amount/column']).to.match(/^2 columns are called "amount"/)
  })

  it('refuses text that is not JSON', () => {
    expect(() => readMapping('{ "ledger": ')).to.throw(InvalidMapping, /is not JSON/)
  })

  it('is checked against the header of the file itself', async () => {
    const path = await folder.write('a.csv', `${plainHeader}`)
    const wrong = { ...plainMapping, transaction: { id: '{number}' } }
    const error: unknown = await checkText(path, wrong).catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(InvalidMapping)
    expect(String(error)).to.include('there is no column "number"')
  })
})

function problemsOf(mapping: object, names: readonly string[] = columns): Record<string, string> {
  try {
    checkMapping(readMapping(JSON.stringify(mapping)), names)
    return {}
  } catch (error) {
    if (!(error instanceof InvalidMapping)) throw error
    return Object.fromEntries(error.problems.map(({ pointer, message }) => [pointer, message]))
  }
}
