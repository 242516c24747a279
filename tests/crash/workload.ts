import { readTotals, send, sendBulk } from './client.ts'
import { type History, isUnknown, type Sent } from './history.ts'
import type { Seeded } from './seeded.ts'

export const ledgers = ['red', 'green', 'blue'] as const
const assets = ['CZK/2', 'JPY/0'] as const
const accounts = ['bank', 'fees', 'alice', 'bob', 'carol:main', 'carol:savings'] as const

/** Commands of one bulk, at most. */
const maxBulkLines = 40

export interface Workload {
  readonly history: History
  /** Each ledger and its bank, which may owe anything. */
  setUp(url: string): Promise<void>
  /** Clients that send, repeat and read until the signal is aborted. */
  run(url: string, options: { clients: number; signal: AbortSignal }): Promise<void>
  /** Repeats all that nobody knows the outcome of, until it is known. */
  settle(url: string): Promise<void>
}

/** What a crash is put under: single commands, bulks, keys, repeats, refusals and reads. */
export function createWorkload({ next, below, pick, happens }: Seeded): Workload {
  const history: History = { sent: [], reads: [], alarms: [] }
  let named = 0

  function command(sent: Omit<Sent, 'attempts'>): Sent {
    const noted = { ...sent, attempts: [] }
    history.sent.push(noted)
    return noted
  }

  function newName(): string {
    named += 1
    return `${named}`
  }

  function transaction(ledger: string, isKeyed = happens(0.3)): Sent {
    const name = newName()
    const postings = Array.from({ length: happens(0.8) ? 1 : 1 + below(5) }, posting)
    const id = isKeyed ? undefined : `t${name}`
    const body = { ...(id && { id }), postings, metadata: { n: name } }
    const key = isKeyed ? `k${name}` : undefined
    return command({ ledger, id, key, type: 'PostTransaction', account: undefined, body })
  }

  function posting() {
    const from = happens(0.5) ? 'bank' : pick(accounts)
    const to = pick(accounts.filter((account) => account !== from) as [string])
    return { amount: String(1 + below(1_000)), asset: pick(assets), from, to }
  }

  function accountCommand(ledger: string): Sent {
    const account = happens(0.5) ? pick(accounts.slice(1) as [string]) : `extra:${below(40)}`
    const overdrafts = { [pick(assets)]: happens(0.3) ? 'none' : String(1 + below(500)) }
    const type = happens(0.5) ? 'OpenAccount' : 'SetOverdraft'
    return command({
      ...{ ledger, type, account, id: undefined, key: `k${newName()}` },
      body: type === 'OpenAccount' && happens(0.5) ? {} : { overdrafts },
    })
  }

  const setUpCommands = ledgers.flatMap((ledger) => [
    command({
      ...{ ledger, id: undefined, key: `create-${ledger}`, type: 'CreateLedger' },
      ...{ account: undefined, body: { accountOpening: 'on-first-use' } },
    }),
    command({
      ...{ ledger, id: undefined, key: `bank-${ledger}`, type: 'OpenAccount', account: 'bank' },
      body: { overdrafts: Object.fromEntries(assets.map((asset) => [asset, 'unlimited'])) },
    }),
  ])

  async function client(url: string, signal: AbortSignal): Promise<void> {
    const tokens = new Map<string, bigint>()
    while (!signal.aborted) {
      const ledger = pick(ledgers)
      const dice = next()
      if (dice < 0.15) await bulk(url, ledger)
      else if (dice < 0.25) tokens.set(ledger, await read(url, ledger, tokens.get(ledger)))
      else if (dice < 0.35) await repeat(url)
      else await one(url, dice < 0.45 ? accountCommand(ledger) : transaction(ledger), tokens)
    }
  }

  async function one(url: string, sent: Sent, tokens: Map<string, bigint>): Promise<void> {
    const outcome = await send(url, sent, history)
    if (outcome.status !== 'accepted') return
    const before = tokens.get(sent.ledger) ?? 0n
    if (outcome.revision > before) tokens.set(sent.ledger, outcome.revision)
  }

  async function bulk(url: string, ledger: string): Promise<void> {
    const lines = Array.from({ length: 1 + below(maxBulkLines) }, () =>
      happens(0.1) ? accountCommand(ledger) : transaction(ledger),
    )
    await sendBulk(url, ledger, lines, history)
  }

  const read = (url: string, ledger: string, token = 0n) => readTotals(url, ledger, token, history)

  /** A command of long ago, or one that is still under way: the answer must be the first one. */
  async function repeat(url: string): Promise<void> {
    const earlier = history.sent[below(history.sent.length)]
    if (earlier) await send(url, earlier, history)
  }

  return {
    history,
    async setUp(url) {
      for (const sent of setUpCommands) await send(url, sent, history)
    },
    async run(url, { clients, signal }) {
      await Promise.all(Array.from({ length: clients }, () => client(url, signal)))
    },
    async settle(url) {
      for (const ledger of ledgers) {
        const open = history.sent.filter((sent) => sent.ledger === ledger && isOpen(sent))
        if (happens(0.5)) await sendBulk(url, ledger, open, history)
        else await Promise.all(open.map((sent) => send(url, sent, history)))
        const left = open.filter(isUnknown)
        if (left.length === 0) continue
        const [{ attempts } = { attempts: [] }] = left
        const why = JSON.stringify(attempts.at(-1)?.outcome)
        throw new Error(`${left.length} outcomes in ${ledger} are still unknown: ${why}`)
      }
    },
  }
}

/** Nobody knows whether it was done: its last try is in doubt, or it was never tried. */
const isOpen = (sent: Sent): boolean => sent.attempts.length === 0 || isUnknown(sent)
