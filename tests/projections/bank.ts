import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { openSqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import type { RecordedEvent } from '../../events/event-store.ts'
import { type LedgerEvent, ledgerCodec, type Posting } from '../../events/ledger.ts'
import { identifyLog } from '../../events/log-identity.ts'
import { byId, type Projection } from '../../projections/projection.ts'
import type { Build, Changes, PageKey } from '../../projections/read-model-store.ts'

/** A log and read models of a bank, for tests of what lies between. */
export async function openBank(folder: string) {
  const store = await openSqliteEventStore({ path: join(folder, 'events.db') })
  const readModels = openSqliteReadModels({ folder: join(folder, 'read-models') })
  const logId = await identifyLog(store, { newId: randomUUID, now: timeAt(0) })
  let builds = 0
  return {
    store,
    readModels,
    logId,

    /** Appends lawful or unlawful events and returns them as the log has them. */
    async record(ledger: string, events: readonly LedgerEvent[]): Promise<RecordedEvent[]> {
      const stream = `ledger-${ledger}`
      const last = await store.lastRevision(stream)
      const encoded = events.map((event, index) =>
        ledgerCodec.encode(event, randomUUID(), { recordedAt: timeAt(index) }),
      )
      await store.append(stream, last ?? 'no-stream', encoded)
      return readStream(stream, last === undefined ? 0n : last + 1n)
    },

    readStream,

    /** A build that no other test has. */
    openBuild(projection: Projection): Promise<Build> {
      builds += 1
      return readModels.openBuild(`${projection.name}-v1.${builds}`, projection.collections)
    },

    async close() {
      await readModels.close()
      await store.close()
    },
  }

  async function readStream(stream: string, from = 0n): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = []
    for await (const page of store.readStream(stream, { from })) events.push(...page)
    return events
  }
}

export type Bank = Awaited<ReturnType<typeof openBank>>

export const timeAt = (seconds: number): string =>
  new Date(1_767_225_600_000 + seconds * 1_000).toISOString()

export const created: LedgerEvent = {
  type: 'LedgerCreated',
  data: { accountOpening: 'explicit', metadata: { country: 'cz' } },
}

export const opened = (account: string, metadata: Record<string, string> = {}): LedgerEvent => ({
  type: 'AccountOpened',
  data: { account, metadata, overdrafts: { 'CZK/2': 'unlimited' } },
})

export const posted = (
  id: string,
  postings: readonly Posting[],
  more: { reference?: string; effectiveAt?: string; metadata?: Record<string, string> } = {},
): LedgerEvent => ({
  type: 'TransactionPosted',
  data: { id, effectiveAt: timeAt(0), postings: [...postings], ...more },
})

export const posting = (
  from: string,
  to: string,
  amount: string | number,
  asset = 'CZK/2',
): Posting => ({ from, to, amount: String(amount), asset })

/** Every document, progress and parked stream of a build, as text: equal builds have equal digests. */
export async function digest(build: Build, projection: Projection): Promise<string[]> {
  const texts: string[] = []
  for (const { name } of projection.collections) {
    let after: PageKey | undefined
    do {
      const page = await build.find({
        ...{ collection: name, index: byId, equals: [], limit: 1_000 },
        ...(after ? { after } : {}),
      })
      texts.push(
        ...page.documents.map(({ id, revision, body }) => `${name} ${id} ${revision} ${body}`),
      )
      after = page.next
    } while (after)
  }
  for (const { stream, revision } of await build.allProgress()) texts.push(`${stream} ${revision}`)
  for (const { stream, revision } of await build.parked()) texts.push(`${stream} p ${revision}`)
  return texts
}

/** A build whose next write stops in the middle, as when the process is killed there. */
export function killedInWrite(build: Build, part: (changes: Changes) => Partial<Changes>): Build {
  let isKilled = false
  return {
    ...build,
    async write(changes) {
      if (isKilled) return build.write(changes)
      isKilled = true
      await build.write({ ...nothing, ...part(changes) })
      throw new Error('killed')
    },
  }
}

const nothing: Changes = { finals: [], documents: [], parked: [], unparked: [], progress: [] }

const accountNames = ['bank:cash', 'bank:fees', 'customers:1', 'customers:2', 'customers:10', 'x']
const assets = ['CZK/2', 'EUR/2', 'BTC/8']

const arbitraryPosting: fc.Arbitrary<Posting> = fc
  .record({
    pair: fc.shuffledSubarray(accountNames, { minLength: 2, maxLength: 2 }),
    amount: fc.oneof(fc.bigInt(1n, 1_000n), fc.bigInt(1n, 10n ** 36n)),
    asset: fc.constantFrom(...assets),
  })
  .map(({ pair, amount, asset }) => posting(pair[0] ?? '', pair[1] ?? '', String(amount), asset))

/** Lawful histories of a ledger in which overdrafts are unlimited: accounts first, then transactions. */
export const arbitraryHistory: fc.Arbitrary<LedgerEvent[]> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.array(arbitraryPosting, { minLength: 1, maxLength: 6 }) },
      { weight: 1, arbitrary: fc.constantFrom(...accountNames) },
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => [
    created,
    ...accountNames.map((account) => opened(account, { kind: account.split(':')[0] ?? '' })),
    ...steps.map((step, index): LedgerEvent => {
      if (typeof step === 'string') {
        return { type: 'OverdraftSet', data: { account: step, asset: 'CZK/2', overdraft: '5' } }
      }
      const effectiveAt = timeAt(((index * 7) % 90) * 86_400)
      return posted(`t-${index}`, step, { effectiveAt, metadata: { step: `${index % 3}` } })
    }),
  ])

/** What each account has of each asset, computed the plain way: `account asset` → balance. */
export function balancesOf(events: readonly LedgerEvent[]): Map<string, bigint> {
  const balances = new Map<string, bigint>()
  const add = (account: string, asset: string, amount: bigint) => {
    const key = `${account} ${asset}`
    balances.set(key, (balances.get(key) ?? 0n) + amount)
  }
  for (const event of events) {
    if (event.type !== 'TransactionPosted') continue
    for (const { from, to, asset, amount } of event.data.postings) {
      add(from, asset, -BigInt(amount))
      add(to, asset, BigInt(amount))
    }
  }
  return balances
}
