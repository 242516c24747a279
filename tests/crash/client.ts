import type { History, Seen, Sent } from './history.ts'

/** No answer after this long is no answer. */
const answerTimeoutMs = 20_000

const unknown = (why: unknown): Seen => ({ status: 'unknown', why: String(why) })

/** Sends a command once and notes what came of it. */
export async function send(url: string, sent: Sent, history: History): Promise<Seen> {
  const sentAt = performance.now()
  const outcome = await attempt(url, sent, history).catch(unknown)
  sent.attempts.push({ sentAt, endedAt: performance.now(), outcome })
  return outcome
}

async function attempt(url: string, sent: Sent, history: History): Promise<Seen> {
  const { method, path } = routeOf(sent)
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      'Content-Type': 'application/json',
      ...(sent.key === undefined ? {} : { 'Idempotency-Key': sent.key }),
    },
    body: JSON.stringify(sent.body),
    signal: AbortSignal.timeout(answerTimeoutMs),
  })
  const answer = (await response.json()) as { revision?: string; code?: string }
  const { status } = response
  if (status === 500) history.alarms.push(`500: ${JSON.stringify(answer)}`)
  if (status >= 500) return unknown(`${status} ${answer.code}`)
  if (status >= 400) return { status: 'refused', code: String(answer.code) }
  const replayed = response.headers.get('idempotency-replayed') === 'true'
  return { status: 'accepted', revision: BigInt(answer.revision ?? -1), replayed }
}

function routeOf({ type, ledger, account }: Sent) {
  switch (type) {
    case 'CreateLedger':
      return { method: 'PUT', path: `/ledgers/${ledger}` }
    case 'OpenAccount':
      return { method: 'PUT', path: `/ledgers/${ledger}/accounts/${account}` }
    case 'SetOverdraft':
      return { method: 'PATCH', path: `/ledgers/${ledger}/accounts/${account}` }
    case 'PostTransaction':
      return { method: 'POST', path: `/ledgers/${ledger}/transactions` }
  }
}

/** Sends many commands to one ledger as a bulk. Those whose result lines did not come are unknown. */
export async function sendBulk(
  url: string,
  ledger: string,
  all: readonly Sent[],
  history: History,
): Promise<void> {
  const sentAt = performance.now()
  const seen: Seen[] = []
  const lines = all.map(({ type, key, account, body }) =>
    JSON.stringify({ type, ...(key && { key }), ...(account && { account }), ...body }),
  )
  try {
    const response = await fetch(`${url}/ledgers/${ledger}/commands`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson' },
      body: `${lines.join('\n')}\n`,
      signal: AbortSignal.timeout(answerTimeoutMs),
    })
    for await (const line of linesOf(response)) noteLine(line, seen)
  } catch {
    // the connection broke: what came before counts
  }
  const endedAt = performance.now()
  for (const [place, sent] of all.entries()) {
    const outcome = seen[place] ?? unknown('no result line')
    if (outcome.status === 'refused' && outcome.code === 'internal-error') {
      history.alarms.push(`line ${place + 1}: internal-error`)
    }
    sent.attempts.push({ sentAt, endedAt, outcome })
  }
}

interface LineResult {
  readonly line?: number
  readonly status?: string
  readonly revision?: string
  readonly replayed?: boolean
  readonly code?: string
}

function noteLine(text: string, seen: Seen[]): void {
  const { line, status, revision, replayed = false, code = '' } = JSON.parse(text) as LineResult
  if (line === undefined) return
  if (status === 'accepted') {
    seen[line - 1] = { status, revision: BigInt(revision ?? -1), replayed }
  } else {
    seen[line - 1] = status === 'refused' ? { status, code } : unknown(code)
  }
}

/** Whole lines of an answer, as they come. */
async function* linesOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter((line) => line !== '')
  }
}

interface TrialBalanceAnswer {
  readonly revision: string
  readonly total: Readonly<Record<string, { readonly sum: string }>>
}

/** Reads a ledger's totals at `minRevision` or later; an answer that is none is not noted. */
export async function readTotals(
  url: string,
  ledger: string,
  minRevision: bigint,
  history: History,
): Promise<bigint> {
  try {
    const response = await fetch(
      `${url}/ledgers/${ledger}/trial-balance?min-revision=${minRevision}`,
      { signal: AbortSignal.timeout(answerTimeoutMs) },
    )
    if (response.status === 500) history.alarms.push(`500 of a read: ${await response.text()}`)
    if (response.status !== 200) return minRevision
    const { revision, total } = (await response.json()) as TrialBalanceAnswer
    const sums = Object.fromEntries(Object.entries(total).map(([asset, { sum }]) => [asset, sum]))
    history.reads.push({ ledger, minRevision, revision: BigInt(revision), sums })
    return BigInt(revision)
  } catch {
    return minRevision // the server is gone
  }
}
