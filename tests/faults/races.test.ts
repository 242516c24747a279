import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import type { Outcome } from '../../command-service/command.ts'
import { isRejection } from '../../command-service/domain/decider.ts'
import type { LedgerCommand } from '../../command-service/domain/ledger/commands.ts'
import { ledgerDecider } from '../../command-service/domain/ledger/decider.ts'
import { emptyLedger, type Ledger } from '../../command-service/domain/ledger/state.ts'
import type { EventStore, RecordedEvent } from '../../events/event-store.ts'
import type { LedgerEvent } from '../../events/ledger.ts'
import {
  create,
  openBank,
  openHandler,
  openStore,
  pay,
} from '../command-service/ledger-under-test.ts'
import { type Seeded, seeded } from '../crash/seeded.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type Chaos, chaoticStore } from './chaotic-store.ts'

/** One command as its caller saw it: between these moments it took effect, if it did. */
interface Operation {
  readonly command: LedgerCommand
  readonly key: string | undefined
  readonly sentAt: number
  readonly toldAt: number
  readonly outcome: Outcome<LedgerEvent> | Error
}

const chaos: Chaos = {
  ...{ unavailable: 0.05, lostBefore: 0.1, lostAfter: 0.15, hidden: 0.3, maxDelayMs: 2 },
}

const accounts = ['bank', 'alice', 'bob'] as const

describe('two handlers over one store, under random faults (C-23, C-33, I1 to I4)', function () {
  this.timeout(60_000)
  const root = temporaryFolder()

  for (const seed of [1, 2, 3, 4]) {
    it(`every outcome is explained by the order of the log (seed ${seed})`, async () => {
      const folder = join(root, `${seed}`)
      const store = await openStore(folder)
      try {
        const operations = await runBoth(store, folder, seeded(seed))
        const log = (await Array.fromAsync(store.readStream('ledger-demo'))).flat()
        expect(operations.length).greaterThan(300)
        expect(explain(operations, log)).deep.equal([])
      } finally {
        await store.close()
      }
    })
  }
})

async function runBoth(store: EventStore, folder: string, chance: Seeded): Promise<Operation[]> {
  const operations: Operation[] = []
  const handlers = await Promise.all(
    ['one', 'two'].map((name) =>
      openHandler({ store: chaoticStore(store, chaos, chance), folder: join(folder, name) }),
    ),
  )

  /** Sends it through any of the two until somebody says what became of it. */
  async function settle(command: LedgerCommand, key?: string): Promise<void> {
    for (;;) {
      const sentAt = performance.now()
      const outcome = await chance
        .pick(handlers as [(typeof handlers)[number]])
        .send(command, { ...(key && { idempotencyKey: key }) })
        .catch((error: Error) => error)
      operations.push({ command, key, sentAt, toldAt: performance.now(), outcome })
      if (!(outcome instanceof Error)) return
    }
  }

  await settle(create, 'create')
  await settle(openBank, 'bank')
  const names = Array.from({ length: 60 }, () => randomUUID())
  const clients = Array.from({ length: 10 }, async () => {
    for (let n = 0; n < 35; n += 1) {
      const from = chance.pick(accounts)
      const to = chance.pick(accounts.filter((account) => account !== from) as [string])
      // ids come again, with the same content or other: both handlers must agree on the first
      const id = chance.happens(0.3) ? chance.pick(names as [string]) : randomUUID()
      const isKeyed = chance.happens(0.3)
      await settle(pay(id, String(1 + chance.below(40)), from, to), isKeyed ? `k-${id}` : undefined)
    }
  })
  await Promise.all(clients)
  await Promise.all(handlers.map(({ handler }) => handler.close()))
  return operations
}

/** States of the ledger after each revision, and where in time each answer can stand in it. */
function explain(operations: readonly Operation[], log: readonly RecordedEvent[]): string[] {
  const problems: string[] = []
  const events = log.map(({ type, data }) => ({ type, data: JSON.parse(data) }) as LedgerEvent)
  const metadata = log.map((one) => JSON.parse(one.metadata).command)
  log.forEach(({ revision }, place) => {
    if (revision !== BigInt(place)) problems.push(`I1 revision ${revision} at ${place}`)
  })

  /** When each revision was certainly in the log, by the earliest answer that knew it. */
  const knownAt = log.map(() => Number.POSITIVE_INFINITY)
  /** When it can have come at the earliest: its command was sent then. */
  const sentAt = log.map(() => 0)
  const told = new Set<number>()
  for (const { outcome, toldAt, command, key } of operations) {
    if (outcome instanceof Error || outcome.status !== 'accepted') continue
    const place = Number(outcome.revision)
    const event = events[place]
    const isOwn =
      event?.type === 'TransactionPosted' && command.type === 'PostTransaction'
        ? event.data.id === command.id && isDeepStrictEqual(event.data.postings, command.postings)
        : key !== undefined && metadata[place]?.key === key
    if (!isOwn) problems.push(`I1 ${JSON.stringify(command)} was told ${place}, which is another's`)
    told.add(place)
    knownAt[place] = Math.min(knownAt[place] ?? 0, toldAt)
  }
  for (let place = knownAt.length - 2; place >= 0; place -= 1) {
    knownAt[place] = Math.min(knownAt[place] ?? 0, knownAt[place + 1] ?? 0)
  }
  for (const [place, command] of metadata.entries()) {
    const isLast = command.index === command.count - 1
    if (isLast && !told.has(place)) problems.push(`I2 revision ${place} was told to nobody`)
    const event = events[place]
    const sent = operations.filter(
      (one) =>
        (command.key !== undefined && one.key === command.key) ||
        (event?.type === 'TransactionPosted' &&
          one.command.type === 'PostTransaction' &&
          one.command.id === event.data.id),
    )
    // they stand in the order of their answers: the one that was sent first may be a later one
    const first = sent.length === 0 ? 0 : Math.min(...sent.map((one) => one.sentAt))
    sentAt[place] = Math.max(first, sentAt[place - 1] ?? 0)
  }

  for (const { command, outcome, sentAt: from } of operations) {
    if (outcome instanceof Error || outcome.status !== 'accepted' || outcome.replayed) continue
    const earliest = knownAt.findLastIndex((at) => at < from)
    if (Number(outcome.revision) > earliest) continue
    problems.push(`I4 ${JSON.stringify(command)} stands before what was known when it was sent`)
  }

  // A refusal must be what the rules say at some moment between its sending and its answer.
  for (const { command, outcome, sentAt: from, toldAt: to } of operations) {
    if (outcome instanceof Error || outcome.status !== 'refused') continue
    const { code } = outcome.rejection
    if (code === 'transaction-exists' || code === 'idempotency-key-reused') continue
    const earliest = knownAt.findLastIndex((at) => at < from)
    const latest = sentAt.findLastIndex((at) => at <= to)
    if (!someState(events, earliest, latest, (state) => refusalOf(command, state) === code)) {
      problems.push(`I2 ${JSON.stringify(command)} was refused for ${code} at no such moment`)
    }
  }

  // Each transaction was lawful where it stands.
  const state = emptyLedger()
  let current: Ledger = state
  for (const [place, event] of events.entries()) {
    if (event.type === 'TransactionPosted') {
      const refusal = refusalOf({ type: 'PostTransaction', ...event.data }, current)
      if (refusal !== undefined) problems.push(`I3 revision ${place} breaks ${refusal}`)
    }
    current = ledgerDecider.evolve(current, event)
  }
  return problems
}

function refusalOf(command: LedgerCommand, state: Ledger): string | undefined {
  const now = '2026-01-31T09:30:00.000Z'
  const decision = ledgerDecider.decide(command, state, { now, recalled: new Map() })
  return isRejection(decision) ? decision.code : undefined
}

/** Whether it holds after any of the revisions from `earliest` to `latest`, -1 being none. */
function someState(
  events: readonly LedgerEvent[],
  earliest: number,
  latest: number,
  holds: (state: Ledger) => boolean,
): boolean {
  let state = emptyLedger()
  for (const event of events.slice(0, earliest + 1)) state = ledgerDecider.evolve(state, event)
  if (holds(state)) return true
  for (const event of events.slice(earliest + 1, latest + 1)) {
    state = ledgerDecider.evolve(state, event)
    if (holds(state)) return true
  }
  return false
}
