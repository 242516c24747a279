/** The bank that the benchmarks work on: accounts that may be overdrawn, and moves between them. */

export const accountId = (n: number): string => `customers:${n}`

const overdrafts = { 'CZK/2': '100000000000000' }

/** Creates the ledger and opens its accounts, as lines of a bulk. */
export function* openingLines(accounts: number): Generator<string> {
  yield JSON.stringify({ type: 'CreateLedger', key: 'create' })
  for (let n = 0; n < accounts; n += 1) {
    yield JSON.stringify({
      type: 'OpenAccount',
      key: `open-${n}`,
      account: accountId(n),
      overdrafts,
    })
  }
}

/** A move of a small amount between two accounts; the same number makes the same transaction. */
export function transaction(n: number, accounts: number, prefix = 't'): object {
  const from = (n * 7_919) % accounts
  const to = (from + 1 + ((n * 104_729) % (accounts - 1))) % accounts
  const postings = [
    { amount: `${100 + (n % 900)}`, asset: 'CZK/2', from: accountId(from), to: accountId(to) },
  ]
  return { id: `${prefix}-${n}`, postings, reference: `order ${n}` }
}

export function* transactionLines(
  first: number,
  count: number,
  accounts: number,
): Generator<string> {
  for (let n = first; n < first + count; n += 1) {
    yield JSON.stringify({ type: 'PostTransaction', ...transaction(n, accounts) })
  }
}

/** Sends lines through the bulk route; every one must be accepted. Returns the seconds it took. */
export async function sendBulk(
  url: string,
  ledger: string,
  lines: Iterable<string>,
): Promise<number> {
  const body = Buffer.from(`${[...lines].join('\n')}\n`)
  const startedAt = performance.now()
  const response = await fetch(`${url}/ledgers/${ledger}/commands?results=errors`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  })
  const answer = await response.text()
  const end = JSON.parse(answer.trim().split('\n').at(-1) ?? '{}')
  if (end.end !== true || end.refused > 0 || end.failed > 0) throw new Error(answer.slice(0, 500))
  return (performance.now() - startedAt) / 1_000
}
