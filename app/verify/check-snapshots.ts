import type { Ledger } from '../../command-service/domain/ledger/state.ts'
import { foldVersion } from '../../command-service/fold-version.ts'
import { ledgerDomain } from '../../command-service/ledger-domain.ts'
import { createSnapshots } from '../../command-service/snapshots.ts'
import { isDomainEvent } from '../../events/codec.ts'
import type { EventStore } from '../../events/event-store.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import type { LedgerCheck } from './check-ledger.ts'
import type { Report } from './finding.ts'

export interface CheckSnapshotsOptions {
  readonly folder: string
  readonly store: EventStore
  readonly logId: string
  readonly report: Report
}

/**
 * Folds each snapshot and what came after it: it must be what all events come to. One that does not
 * fit log or program is ignored by everybody, and so here. Says how many there were.
 */
export async function checkSnapshots(
  ledgers: ReadonlyMap<string, LedgerCheck>,
  { folder, store, logId, report }: CheckSnapshotsOptions,
): Promise<number> {
  const { codec, decider, snapshot: form, sources } = ledgerDomain
  const snapshots = createSnapshots({
    ...{ folder, logId, form, store },
    foldVersion: foldVersion(sources),
  })
  let checked = 0
  for (const [stream, { state: folded }] of ledgers) {
    const snapshot = await snapshots.load(stream)
    if (!snapshot) continue
    checked += 1
    let { state } = snapshot
    for await (const batch of store.readStream(stream, { from: snapshot.revision + 1n })) {
      for (const recorded of batch) {
        const event = codec.decode(recorded)
        if (isDomainEvent(event)) state = decider.evolve(state, event)
      }
    }
    for (const difference of differencesOf(state, folded)) {
      const detail = `snapshot at ${snapshot.revision} and tail: ${difference}`
      report({ check: 'snapshot', at: stream, detail })
    }
  }
  return checked
}

function* differencesOf(state: Ledger, folded: Ledger): Iterable<string> {
  const one = textsOf(state)
  const other = textsOf(folded)
  for (const name of new Set([...one.keys(), ...other.keys()])) {
    if (one.get(name) === other.get(name)) continue
    yield `${name} is ${one.get(name) ?? 'not there'}, all events make ${other.get(name) ?? 'none'}`
  }
}

function textsOf({ settings, accounts }: Ledger): Map<string, string> {
  const texts = new Map([['the ledger', settings ? canonicalJson(plain(settings)) : 'none']])
  for (const [id, account] of accounts.ownEntries()) texts.set(id, canonicalJson(plain(account)))
  return texts
}

/** Without what is `undefined`, and with text for what JSON has no form for. */
const plain = (value: object): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)),
  )
