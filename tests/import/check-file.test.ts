import { expect } from 'chai'
import { planCommands } from '../../app/import/plan-commands.ts'
import {
  type AnyMapping,
  checkText,
  plainHeader,
  plainMapping,
  useFolder,
  without,
} from './import-fixture.ts'

const unbalanced = without(plainMapping, 'runningBalance')

describe('checking a file', () => {
  const folder = useFolder()

  const check = async (rows: string, mapping: AnyMapping = plainMapping, header = plainHeader) =>
    checkText(await folder.write('a.csv', header + rows), mapping)

  const codes = async (rows: string, mapping?: AnyMapping, header?: string) =>
    (await check(rows, mapping, header)).problems.map(({ line, code }) => `${line} ${code}`)

  it('orders a day so that balances run, and books what the source rounded', async () => {
    const checked = await check(
      '1,a,2024-01-02,20.00,30.05\n2,a,2024-01-01,10.00,10.00\n3,a,2024-01-02,-25.05,5.00\n',
    )
    expect(checked.problems).to.deep.equal([])
    const { transactions } = planCommands(checked.mapping, checked.reconciled)
    const postings = transactions.map(({ command }) =>
      command.type === 'PostTransaction'
        ? command.postings.map(({ amount, from, to }) => `${amount} ${from} → ${to}`)
        : [],
    )
    expect(transactions.map(({ line }) => line)).to.deep.equal([3, 2, 4])
    expect(postings).to.deep.equal([
      ['1000 bank:cash → customers:a'],
      ['2000 bank:cash → customers:a', '5 bank:rounding → customers:a'],
      ['2505 customers:a → bank:cash'],
    ])
  })

  it('lets the next day decide between two ends of a day', async () => {
    // Day 1 runs as 5.00, 5.04 and, rounding more, as 5.04, 5.00: only the second leads to day 2.
    const checked = await check(
      '1,a,2024-01-01,5.00,5.00\n2,a,2024-01-01,0.02,5.04\n3,a,2024-01-01,-0.02,4.99\n' +
        '4,a,2024-01-02,1.00,6.09\n',
    )
    expect(checked.problems).to.deep.equal([])
    const lines = checked.reconciled.movements.map(({ movement }) => movement.line)
    expect(lines.at(-2)).to.equal(3)
  })

  it('lists a balance that does not follow, with both figures, and goes on from the file’s', async () => {
    const checked = await check(
      '1,a,2024-01-01,10.00,10.00\n2,a,2024-01-02,5.00,25.00\n3,a,2024-01-03,-5.00,20.00\n',
    )
    expect(checked.problems).to.deep.equal([
      {
        line: 3,
        account: 'customers:a',
        code: 'balance-differs',
        detail: 'expected 15.00 EUR, found 25.00 EUR',
        expected: '1500',
        found: '2500',
      },
    ])
  })

  it('does not take a difference beyond the tolerance for rounding', async () => {
    expect(await codes('1,a,2024-01-01,10.00,10.05\n')).to.deep.equal([])
    expect(await codes('1,a,2024-01-01,10.00,10.06\n')).to.deep.equal(['2 balance-differs'])
  })

  it('reads a file whose newest rows come first', async () => {
    const checked = await check('2,a,2024-01-02,5.00,15.00\n1,a,2024-01-01,10.00,10.00\n')
    expect(checked.problems).to.deep.equal([])
    expect(checked.reconciled.reordered).to.equal(0)
    expect(checked.reconciled.movements.map(({ movement }) => movement.line)).to.deep.equal([3, 2])
  })

  it('books the balance an account had before its first row, where the mapping says from where', async () => {
    const mapping = {
      ...plainMapping,
      runningBalance: { column: 'balance', openingAccount: 'bank:opening' },
    }
    const checked = await check('1,a,2024-01-05,-30.00,70.00\n2,b,2024-01-05,1.00,1.00\n', mapping)
    expect(checked.problems).to.deep.equal([])
    const [opening, ...others] = planCommands(checked.mapping, checked.reconciled).transactions
    expect(opening?.command).to.deep.include({
      postings: [{ amount: '10000', asset: 'EUR/2', from: 'bank:opening', to: 'customers:a' }],
      effectiveAt: '2024-01-05T00:00:00.000Z',
    })
    expect(others.length).to.equal(2)
    expect(await codes('1,a,2024-01-05,-30.00,70.00\n')).to.deep.equal(['2 balance-differs'])
  })

  it('opens each account once, as far below zero as the rule and the file say', async () => {
    const checked = await check('1,a,2024-01-01,-7.00,-7.00\n2,b,2024-01-01,3.00,3.00\n')
    const { setUp } = planCommands(checked.mapping, checked.reconciled)
    const opened = setUp.flatMap(({ command }) =>
      command.type === 'OpenAccount' ? [[command.account, command.overdrafts?.['EUR/2']]] : [],
    )
    expect(opened).to.deep.equal([
      ['customers:a', '700'],
      ['bank:cash', 'unlimited'],
      ['customers:b', undefined],
    ])
  })

  const refusals: readonly (readonly [code: string, row: string])[] = [
    ['too-few-fields', '2,a,2024-01-01,1.00'],
    ['too-many-fields', '2,a,2024-01-01,1.00,1.00,x'],
    ['date-not-valid', '2,a,2024-02-30,1.00,1.00'],
    ['date-not-valid', '2,a,01.02.2024,1.00,1.00'],
    ['amount-empty', '2,a,2024-01-01,,1.00'],
    ['amount-not-a-number', '2,a,2024-01-01,1e3,1.00'],
    ['amount-too-precise', '2,a,2024-01-01,1.001,1.00'],
    ['amount-too-large', `2,a,2024-01-01,${'9'.repeat(37)}.00,1.00`],
    ['amount-zero', '2,a,2024-01-01,0.00,10.00'],
    ['amount-empty', '2,a,2024-01-01,1.00,'],
    ['account-not-valid', '2,a b,2024-01-01,1.00,1.00'],
    ['account-not-valid', '2,,2024-01-01,1.00,1.00'],
    ['account-not-valid', '2,../a,2024-01-01,1.00,1.00'],
    ['account-not-valid', '2,😀,2024-01-01,1.00,1.00'],
    ['id-not-valid', '2/3,a,2024-01-01,1.00,11.00'],
    ['id-repeated', '1,a,2024-01-01,1.00,11.00'],
  ]
  for (const [code, row] of refusals) {
    it(`refuses ${JSON.stringify(row.slice(0, 50))}: ${code}`, async () => {
      const rows = `1,a,2024-01-01,10.00,10.00\n${row}\n3,c,2024-01-01,1.00,1.00\n`
      expect(await codes(rows)).to.deep.equal([`3 ${code}`])
    })
  }

  it('reads a German bank’s file', async () => {
    const mapping = {
      ledger: 'haus',
      file: { separator: ';', encoding: 'windows-1252', skipLines: 2, lastLineEnd: 'optional' },
      numbers: { decimal: ',', thousands: '.' },
      asset: '{Währung}/2',
      date: { column: 'Buchungstag', pattern: 'DD.MM.YYYY', utcOffset: '+01:00' },
      account: 'bank:{Konto}',
      amount: { column: 'Betrag', positive: 'in' },
      counterAccounts: [
        { when: { Art: ['Gebühr'] }, account: 'costs:fees' },
        { when: { Partner: 'not-empty' }, account: 'partners:{Partner}' },
        { account: 'suspense' },
      ],
      skipRows: [{ Art: ['vorgemerkt'] }],
      transaction: { id: 'k-{$row}', reference: '{Zweck}', metadata: { kind: '{Art}' } },
      replaceCharacters: { ' ': '-', '.': '', ü: 'ue', '&': 'and' },
      runningBalance: { column: 'Saldo', openingAccount: 'equity:opening' },
    }
    const text =
      'Umsätze\r\n\r\nBuchungstag;Konto;Art;Partner;Zweck;Betrag;Währung;Saldo\r\n' +
      '03.02.2024;DE 12;Lastschrift;Müller & Co.;"Rechnung; 7";-1.234,56;EUR;8.765,44\r\n' +
      '02.02.2024;DE 12;vorgemerkt;;;-1,00;EUR;0,00\r\n' +
      '01.02.2024;DE 12;Gebühr;;;-5,00;EUR;10.000,00\r\n' +
      '01.02.2024;DE 12;Gebühr;;;-5,00;EUR;10.005,00'
    const path = await folder.write('a.csv', Buffer.from(text, 'latin1'))
    const checked = await checkText(path, mapping)
    expect(checked.problems).to.deep.equal([])
    expect(checked.skippedByRule).to.equal(1)
    const moved = checked.reconciled.movements.map(({ movement }) => movement)
    expect(moved.map(({ line, amount }) => [line, amount])).to.deep.equal([
      [7, -500n],
      [6, -500n],
      [4, -123456n],
    ])
    expect(moved[2]).to.deep.include({
      account: 'bank:DE-12',
      counterAccount: 'partners:Mueller-and-Co',
      effectiveAt: '2024-02-02T23:00:00.000Z',
      reference: 'Rechnung; 7',
      metadata: { kind: 'Lastschrift' },
    })
  })

  it('reads tabs, two amount columns, a time of day and a file without a header', async () => {
    const mapping = {
      ...unbalanced,
      file: { separator: '\t', quote: '', columns: ['id', 'account', 'date', 'credit', 'debit'] },
      date: { column: 'date', pattern: 'M/D/YYYY HH:mm' },
      amount: { inColumn: 'credit', outColumn: 'debit', zero: 'skip' },
    }
    const checked = await check(
      '1\ta\t1/2/2024 09:30\t5.00\t\n2\ta\t11/12/2024 10:00\t\t2.50\n3\ta\t1/3/2024 00:00\t0.00\t\n',
      mapping,
      '',
    )
    expect(checked.problems).to.deep.equal([])
    expect(checked.withoutAmount).to.equal(1)
    const moved = checked.reconciled.movements.map(({ movement: { amount, effectiveAt } }) => [
      amount,
      effectiveAt,
    ])
    expect(moved).to.deep.equal([
      [500n, '2024-01-02T09:30:00.000Z'],
      [-250n, '2024-11-12T10:00:00.000Z'],
    ])
    expect(await codes('1\ta\t1/2/2024 09:30\t5.00\t1.00\n', mapping, '')).to.deep.equal([
      '1 amount-on-both-sides',
    ])
  })

  it('tells a direction and a sign that it cannot read', async () => {
    const mapping = {
      ...unbalanced,
      amount: { column: 'amount', direction: { column: 'balance', in: ['C'], out: ['D'] } },
    }
    expect(
      await codes(
        '1,a,2024-01-01,1.00,C\n2,a,2024-01-01,1.00,X\n3,a,2024-01-01,-1.00,D\n',
        mapping,
      ),
    ).to.deep.equal(['3 direction-unknown', '4 amount-not-a-number'])
  })

  it('refuses two different texts that would become one account', async () => {
    const mapping = { ...unbalanced, replaceCharacters: { ' ': '-' } }
    expect(
      await codes('1,a b,2024-01-01,1.00,0\n2,a-b,2024-01-01,1.00,0\n', mapping),
    ).to.deep.equal(['3 account-ambiguous'])
  })

  it('refuses a counter account whose own rows would book the move again', async () => {
    const mapping = {
      ...plainMapping,
      counterAccounts: [{ when: { id: ['1'] }, account: 'customers:b' }, { account: 'bank:cash' }],
    }
    expect(
      await codes('1,a,2024-01-01,1.00,1.00\n2,b,2024-01-02,1.00,1.00\n', mapping),
    ).to.deep.equal(['2 counter-account-in-file'])
  })

  it('refuses a row for which no counter account is named', async () => {
    const mapping = {
      ...unbalanced,
      counterAccounts: [{ when: { id: ['1'] }, account: 'bank:cash' }],
    }
    const problems = await codes('1,a,2024-01-01,1.00,0\n2,a,2024-01-01,1.00,0\n', mapping)
    expect(problems).to.deep.equal(['3 counter-account-missing'])
  })

  it('tells a file that is empty or has only a header', async () => {
    expect(await codes('', plainMapping, '')).to.deep.equal(['1 file-empty'])
    const checked = await check('')
    expect([checked.problems.length, checked.rowsRead]).to.deep.equal([0, 0])
  })

  it('keeps the rows before the place where the file is cut', async () => {
    const checked = await check('1,a,2024-01-01,10.00,10.00\n2,a,2024-01-02,5.')
    expect(checked.problems.map(({ code }) => code)).to.deep.equal(['file-cut'])
    expect(checked.reconciled.movements.length).to.equal(1)
  })
})
