import type { Style } from '../cli/terminal.ts'
import { formatAmount } from '../import/amount.ts'
import { castle, demoAsset, demoLedger } from './demo-bank.ts'
import { type Fed, type FedPart, singlesAtOnce } from './feed-bank.ts'
import { coffeePrice, curlLines, type Sights, shownAccount } from './look-around.ts'

type Paint = (style: Style, text: string) => string

const count = (value: number): string => value.toLocaleString('en-US')
const money = (units: bigint): string =>
  formatAmount(units, demoAsset).replaceAll(/\B(?=(\d{3})+(?!\d)(?=.*\.))/g, ',')

/** What was fed: how much, how fast, what was refused and what was known already. */
export function describeFed({ bulk, singles, repeated, refused, unexpected }: Fed, paint: Paint) {
  const there = bulk.alreadyThere + singles.alreadyThere
  const lines = [
    ...describePart('in bulk', bulk, paint),
    ...describePart(`one by one, ${singlesAtOnce} at a time,`, singles, paint),
    `${count(refused)} overdrafts refused, ${count(repeated)} repeated ids answered as the first time`,
  ]
  if (there > 0) lines.push(`${count(there)} transactions were there already: nothing was doubled`)
  if (unexpected.length > 0) {
    lines.push(paint('red', `${count(unexpected.length)} unexpected: ${unexpected[0]}`))
  }
  return indented(lines)
}

function describePart(way: string, { posted, alreadyThere, seconds }: FedPart, paint: Paint) {
  const all = posted + alreadyThere
  const rate = count(Math.round(all / seconds))
  const figure = paint('bold', `${rate} a second`)
  const what = posted > 0 || all === 0 ? 'posted' : 'answered again'
  return [
    `${count(all).padStart(6)} transactions ${what} ${way} in ${seconds.toFixed(2)} s, ${figure}`,
  ]
}

export function describeSights({ refusal, replay, balance, totals }: Sights, paint: Paint) {
  const { answer, units } = balance
  const head = (text: string): string => paint('cyan', text.padEnd(17))
  const verdict = totals.sum === 0n ? paint('green', 'they sum to zero') : paint('red', 'NOT ZERO')
  return indented([
    `${head('A refusal')}${refusal.httpStatus} ${refusal.body.code}: ${shownAccount} wants to spend ${money(BigInt(castle))}`,
    `${head('Sent twice')}${money(coffeePrice)} for a coffee: ${replay.httpStatus}, revision ${replay.body.revision}, Idempotency-Replayed: ${replay.replayed}, so spent once`,
    `${head('A balance')}${shownAccount} has ${money(units)} at revision ${answer.shownRevision}, as of ${answer.ageMs} ms ago`,
    `${head('All balances')}${money(totals.positive)} and ${money(totals.negative)} on ${count(totals.accounts)} accounts: ${verdict}, at revision ${totals.revision}`,
  ])
}

export const describeTrying = (url: string, paint: Paint): string =>
  [
    `Ledger ${demoLedger} is served on ${paint('bold', url)} (what it can do: ${url}/docs). Try:`,
    '',
    ...curlLines(url),
    '',
    paint('dim', 'Ctrl-C stops it. The data stay, and the next run goes on with them.'),
    '',
  ].join('\n')

const indented = (lines: readonly string[]): string =>
  `${lines.map((line) => `  ${line}`).join('\n')}\n`
