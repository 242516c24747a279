import { foldVersion } from '../../command-service/fold-version.ts'
import { createSnapshots } from '../../command-service/snapshots.ts'
import { isDomainEvent } from '../../events/codec.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import type { AnyDomain } from '../domain-entry.ts'
import type { CheckedStream } from './check-stream.ts'
import type { Report } from './finding.ts'
import type { LogToPosition } from './log-to-position.ts'

export interface CheckSnapshotsOptions {
  readonly folder: string
  readonly domains: readonly AnyDomain[]
  readonly store: LogToPosition
  readonly logId: string
  readonly report: Report
}

/**
 * Folds each snapshot and what came after it: it must be what all events come to. One that does not
 * fit log or program is ignored by everybody, and so here. Says how many there were.
 */
export async function checkSnapshots(
  streams: ReadonlyMap<string, CheckedStream>,
  { folder, domains, store, logId, report }: CheckSnapshotsOptions,
): Promise<number> {
  const snapshotsOf = new Map(
    domains.map((domain) => {
      const { snapshot: form, sources } = domain
      const version = foldVersion(sources)
      return [domain, createSnapshots({ folder, logId, form, store, foldVersion: version })]
    }),
  )
  let checked = 0
  for (const [stream, { domain, state: folded }] of streams) {
    const snapshot = await snapshotsOf.get(domain)?.load(stream)
    if (!snapshot) continue
    checked += 1
    let { state } = snapshot
    for await (const batch of store.readStream(stream, { from: snapshot.revision + 1n })) {
      for (const recorded of batch) {
        const event = domain.codec.decode(recorded)
        if (isDomainEvent(event)) state = domain.decider.evolve(state, event)
      }
    }
    for (const difference of differencesOf(partsOf(domain, state), partsOf(domain, folded))) {
      const detail = `snapshot at ${snapshot.revision} and tail: ${difference}`
      report({ check: 'snapshot', at: stream, detail })
    }
  }
  return checked
}

type Parts = ReadonlyMap<string, string>

function* differencesOf(one: Parts, other: Parts): Iterable<string> {
  for (const name of new Set([...one.keys(), ...other.keys()])) {
    if (one.get(name) === other.get(name)) continue
    yield `${name} is ${one.get(name) ?? 'not there'}, all events make ${other.get(name) ?? 'none'}`
  }
}

const partsOf = ({ audit }: AnyDomain, state: unknown): Parts =>
  new Map([...audit.partsOf(state)].map(([part, value]) => [part, canonicalJson(plain(value))]))

/** Without what is `undefined`, and with text for what JSON has no form for. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, (_, part: unknown) =>
      typeof part === 'bigint' ? `${part}` : part,
    ),
  )
