import { expect } from 'chai'
import fc from 'fast-check'
import { formatAmount, type NumberStyle, parseAmount } from '../../app/import/amount.ts'

const point: NumberStyle = { decimal: '.', thousands: '' }
const german: NumberStyle = { decimal: ',', thousands: '.' }

describe('amounts of a file', () => {
  it('reads back any smallest units, however they are written', () => {
    const styles = fc.constantFrom<NumberStyle>(
      point,
      german,
      { decimal: '.', thousands: ',' },
      { decimal: ',', thousands: '\u00a0' },
      { decimal: '.', thousands: '’' },
    )
    const largest = 10n ** 38n - 1n
    fc.assert(
      fc.property(
        fc.bigInt({ min: -largest, max: largest }),
        fc.integer({ min: 0, max: 12 }),
        styles,
        fc.constantFrom('before', 'behind'),
        fc.boolean(),
        (units, decimals, style, sign, grouped) => {
          const text = write(units, decimals, style, sign, grouped)
          expect(parseAmount(text, decimals, style), text).to.equal(units)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('fills up missing decimals and refuses more than the asset has', () => {
    expect(parseAmount('12.5', 2, point)).to.equal(1250n)
    expect(parseAmount('12', 2, point)).to.equal(1200n)
    expect(parseAmount('12.345', 2, point)).to.equal('amount-too-precise')
    expect(parseAmount('12.340', 2, point)).to.equal('amount-too-precise')
    expect(parseAmount('12.0', 0, point)).to.equal('amount-too-precise')
  })

  it('takes separators only in their right places', () => {
    expect(parseAmount('1.234.567,89', 2, german)).to.equal(123456789n)
    for (const text of ['1.23,45', '1234.567,00', '.123,00', '1,234.56', '1..234', '1.234,', ',']) {
      expect(parseAmount(text, 2, german), text).to.equal('amount-not-a-number')
    }
    expect(parseAmount('1,234.56', 2, point)).to.equal('amount-not-a-number')
  })

  it('refuses what is no number, or more than any ledger keeps', () => {
    expect(parseAmount('  ', 2, point)).to.equal('amount-empty')
    for (const text of ['-', '--1', '1e3', 'NaN', '0x10', '١٢', '1 000', '12 EUR', '+-1', '.5']) {
      expect(parseAmount(text, 2, point), text).to.equal('amount-not-a-number')
    }
    expect(parseAmount('9'.repeat(39), 0, point)).to.equal('amount-too-large')
    expect(parseAmount(`${'0'.repeat(60)}7`, 0, point)).to.equal(7n)
  })

  it('writes them for people', () => {
    expect(formatAmount(-3320n, 'CZK/2')).to.equal('-33.20 CZK')
    expect(formatAmount(7n, 'EUR/2')).to.equal('0.07 EUR')
    expect(formatAmount(700n, 'JPY/0')).to.equal('700 JPY')
  })
})

function write(
  units: bigint,
  decimals: number,
  { decimal, thousands }: NumberStyle,
  sign: 'before' | 'behind',
  grouped: boolean,
): string {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const shown = grouped ? whole.replaceAll(/\B(?=(?:\d{3})+$)/g, thousands) : whole
  const text = decimals > 0 ? `${shown}${decimal}${digits.slice(-decimals)}` : shown
  if (units >= 0n) return text
  return sign === 'before' ? `-${text}` : `${text}-`
}
