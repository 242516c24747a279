import { formatAmount } from './amount.ts'
import type { ImportReport } from './import-report.ts'

/** Problems and refusals shown on a terminal; `--json` has the others. */
export const maxShown = 20

/** A report as people read it. */
export function describeReport(report: ImportReport): string {
  return [
    ...headline(report),
    ...describeRows(report),
    ...describeRounding(report),
    ...describePosting(report),
    ...describeProblems(report),
    ...describeRefusals(report),
    '',
  ].join('\n')
}

const count = (value: number): string => value.toLocaleString('en-US')
const problemCount = (value: number): string =>
  `${count(value)} ${value === 1 ? 'problem' : 'problems'}`

function headline({
  outcome,
  file,
  ledger,
  interruption,
  transactions,
  problems,
}: ImportReport): string[] {
  switch (outcome) {
    case 'done':
      return [`Imported ${file} into ledger ${ledger}.`]
    case 'checked':
      return [`Checked ${file}: nothing is wrong. Nothing was sent (--dry-run).`]
    case 'problems':
      return transactions.unanswered === transactions.planned
        ? [`${file} has ${problemCount(problems.count)}, so nothing was sent.`]
        : [`Imported what can be read of ${file}, which has ${problemCount(problems.count)}.`]
    case 'refused':
      return [`Imported ${file} into ledger ${ledger}, which refused some of it.`]
    case 'interrupted':
      return [`Interrupted: ${interruption}. Run the same import again: it goes on.`]
  }
}

const line = (name: string, text: string): string => `  ${name.padEnd(13)} ${text}`

function describeRows({ rows, firstDate, lastDate, balances }: ImportReport): string[] {
  const left = [
    ...(rows.skippedByRule > 0 ? [`${count(rows.skippedByRule)} left out by rule`] : []),
    ...(rows.withoutAmount > 0 ? [`${count(rows.withoutAmount)} without an amount`] : []),
  ]
  const period = firstDate === undefined ? [] : [`${firstDate} to ${lastDate}`]
  const lines = [line('Rows', [count(rows.read), ...period, ...left].join(', '))]
  if (balances.checked > 0) {
    const differing =
      balances.differing === 0
        ? 'all follow'
        : `${count(balances.differing)} ${balances.differing === 1 ? 'differs' : 'differ'}`
    lines.push(
      line(
        'Balances',
        `${count(balances.checked)} checked, ${differing}; ${count(balances.reordered)} rows put in another order within their day`,
      ),
    )
  }
  return lines
}

function describeRounding({ rounding }: ImportReport): string[] {
  if (rounding.rows === 0) return []
  const shown = rounding.parts.slice(0, maxShown)
  const total = new Map<string, bigint>()
  for (const { asset, sum } of rounding.parts)
    total.set(asset, (total.get(asset) ?? 0n) + BigInt(sum))
  const totals = [...total].map(([asset, sum]) => formatAmount(-sum, asset)).join(', ')
  return [
    line(
      'Rounding',
      `${count(rounding.rows)} rows; ${rounding.account} has ${totals} of it. By the other side:`,
    ),
    ...shown.map(({ counterAccount, rows, asset, sum }) =>
      line(
        '',
        `${counterAccount.padEnd(24)} ${count(rows).padStart(7)} rows ${formatAmount(-BigInt(sum), asset).padStart(16)}`,
      ),
    ),
    ...more(rounding.parts.length - shown.length),
  ]
}

function describePosting({
  accounts,
  transactions,
  lastRevision,
  seconds,
}: ImportReport): string[] {
  const { planned, posted, replayed, refused, unanswered } = transactions
  const answers = `${count(posted)} posted, ${count(replayed)} there already, ${count(refused)} refused`
  const there =
    accounts.alreadyThere === 0
      ? ''
      : `, ${count(accounts.alreadyThere)} there with other rules, left so`
  const sent = unanswered < planned
  return [
    ...(sent
      ? [
          line(
            'Accounts',
            `${count(accounts.opened)} opened, ${count(accounts.replayed)} there already${there}`,
          ),
          line(
            'Transactions',
            unanswered > 0 ? `${answers}, ${count(unanswered)} not answered` : answers,
          ),
        ]
      : [line('Transactions', `${count(planned)} to post`)]),
    ...(lastRevision === undefined ? [] : [line('Revision', `${lastRevision} of the ledger`)]),
    line(
      'Time',
      `${seconds.checking.toFixed(2)} s checking${sent ? `, ${seconds.posting.toFixed(2)} s posting` : ''}`,
    ),
  ]
}

function describeProblems({ problems: { count: total, listed } }: ImportReport): string[] {
  if (total === 0) return []
  const shown = listed.slice(0, maxShown)
  return [
    `${problemCount(total)}:`,
    ...shown.map(
      ({ line: at, code, account, detail }) =>
        `  line ${at}: ${code}${account === undefined ? '' : ` ${account}`}: ${detail}`,
    ),
    ...more(total - shown.length),
  ]
}

function describeRefusals({ refusals: { count: total, byCode, listed } }: ImportReport): string[] {
  if (total === 0) return []
  const shown = listed.slice(0, maxShown)
  const codes = Object.entries(byCode).map(([code, times]) => `${code} ${count(times)}`)
  return [
    `${count(total)} refused by the ledger (${codes.join(', ')}):`,
    ...shown.map(
      ({ line: at, command, subject, code, detail }) =>
        `  ${at === undefined ? command : `line ${at}`}: ${subject}: ${code}${detail === undefined ? '' : `: ${detail}`}`,
    ),
    ...more(total - shown.length),
  ]
}

const more = (left: number): string[] =>
  left > 0 ? [`  … and ${count(left)} more (--json lists them)`] : []
