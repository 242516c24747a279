/** How a file writes numbers. */
export interface NumberStyle {
  readonly decimal: '.' | ','
  /** What may stand between groups of three digits; empty: nothing. */
  readonly thousands: string
}

/** Digits before and after the decimal separator; beyond them no ledger could keep the amount. */
const maxDigits = 38

export type AmountProblem =
  | 'amount-not-a-number'
  | 'amount-too-precise'
  | 'amount-too-large'
  | 'amount-empty'

/**
 * The exact smallest units of an amount's text, never by way of a float. A sign may stand before it
 * or, as some banks write it, behind. Anything else that is not a digit or a separator in its right
 * place is a problem, and so are more decimals than the asset has.
 */
export function parseAmount(
  text: string,
  decimals: number,
  { decimal, thousands }: NumberStyle,
): bigint | AmountProblem {
  let body = text.trim()
  if (body === '') return 'amount-empty'
  const sign = signOf(body)
  if (sign !== undefined) body = sign.rest
  const at = body.indexOf(decimal)
  const fraction = at === -1 ? '' : body.slice(at + 1)
  const whole = ungroup(at === -1 ? body : body.slice(0, at), thousands)
  if (whole === undefined || (at !== -1 && fraction === '')) return 'amount-not-a-number'
  if (!isDigits(whole) || (fraction !== '' && !isDigits(fraction))) return 'amount-not-a-number'
  if (fraction.length > decimals) return 'amount-too-precise'
  const units = whole + fraction.padEnd(decimals, '0')
  if (units.length > maxDigits && units.replace(/^0+/, '').length > maxDigits) {
    return 'amount-too-large'
  }
  return sign?.negative ? -BigInt(units) : BigInt(units)
}

/** Smallest units as people read them: `-33.20 CZK`. */
export function formatAmount(units: bigint, asset: string): string {
  const [code = '', places = '0'] = asset.split('/')
  const decimals = Number(places)
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = decimals > 0 ? `.${digits.slice(-decimals)}` : ''
  return `${units < 0n ? '-' : ''}${whole}${fraction} ${code}`
}

function signOf(text: string): { negative: boolean; rest: string } | undefined {
  const first = text.charAt(0)
  if (first === '-' || first === '+') return { negative: first === '-', rest: text.slice(1) }
  const last = text.charAt(text.length - 1)
  if (last === '-' || last === '+') return { negative: last === '-', rest: text.slice(0, -1) }
  return undefined
}

/** Without its thousands separators, which stand between groups of exactly three digits or nowhere. */
function ungroup(whole: string, thousands: string): string | undefined {
  if (thousands === '' || !whole.includes(thousands)) return whole
  const [first = '', ...groups] = whole.split(thousands)
  if (first.length === 0 || first.length > 3) return undefined
  return groups.every((group) => group.length === 3) ? first + groups.join('') : undefined
}

function isDigits(text: string): boolean {
  if (text === '') return false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 48 || code > 57) return false
  }
  return true
}
