import { ledgerDomain } from '../../command-service/ledger-domain.ts'
import { createCodec } from '../../events/codec.ts'
import { controlCodec } from '../../events/control.ts'
import { DamagedLog, type EventStore, type RecordedEvent } from '../../events/event-store.ts'
import { logEvents } from '../../events/log-identity.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import type { Projection } from '../../projections/projection.ts'
import { createLedgerCheck, type LedgerCheck } from './check-ledger.ts'
import type { Report } from './finding.ts'

const identityCodec = createCodec(logEvents)

interface Decoder {
  decode(recorded: RecordedEvent): unknown
}

export interface CheckedLog {
  readonly events: number
  /** What the log comes to, by stream. */
  readonly ledgers: ReadonlyMap<string, LedgerCheck>
}

export interface CheckLogOptions {
  readonly report: Report
  /** Those that run: of the other domains' streams it is known what they may hold. */
  readonly projections: readonly Pick<Projection, 'category' | 'codec'>[]
  readonly onProgress: (position: string) => void
}

/**
 * Reads the whole log once and checks each event: its bytes, its place, its time, and that the rules
 * would make it again of the state before it: of other domains than the ledger, that it has its
 * schema's shape. A log that cannot be read on is checked to there.
 */
export async function checkLog(
  store: Pick<EventStore, 'readAll'>,
  { report, projections, onProgress }: CheckLogOptions,
): Promise<CheckedLog> {
  const ledgers = new Map<string, LedgerCheck>()
  const ends = new Map<string, { revision: bigint; recordedAt: string }>()
  /** Of the streams that are no ledgers, by category. */
  const otherCodecs = new Map<string, Decoder>([
    ...projections.map(({ category, codec }) => [category, codec] as const),
    ['log', identityCodec],
    ['control', controlCodec],
  ])
  let events = 0

  function checkEvent(recorded: RecordedEvent): void {
    const { stream, revision } = recorded
    const at = `${stream}@${revision}`
    checkCanonical(recorded, at, report)
    const end = ends.get(stream) ?? { revision: -1n, recordedAt: '' }
    if (revision !== end.revision + 1n) {
      const detail = `revision ${end.revision + 1n} should follow ${end.revision}`
      report({ check: 'dense', at, detail })
    }
    const category = stream.slice(0, stream.indexOf('-'))
    let recordedAt = end.recordedAt
    if (category === ledgerDomain.category) {
      const event = ledgerDomain.codec.decode(recorded)
      recordedAt = event.metadata.recordedAt
      const ledger = ledgers.get(stream) ?? createLedgerCheck(report)
      ledgers.set(stream, ledger)
      ledger.add(event)
    } else {
      const codec = otherCodecs.get(category)
      if (codec) codec.decode(recorded)
      else
        report({ check: 'known', at, detail: `streams of the category ${category} are not known` })
    }
    if (recordedAt < end.recordedAt) {
      const detail = `recorded at ${recordedAt}, before the event before it (${end.recordedAt})`
      report({ check: 'ordered-time', at, detail })
    }
    ends.set(stream, { revision, recordedAt })
  }

  try {
    for await (const batch of store.readAll()) {
      for (const recorded of batch) {
        try {
          checkEvent(recorded)
        } catch (error) {
          report(unreadable(recorded, error))
        }
      }
      events += batch.length
      onProgress(batch.at(-1)?.position ?? '')
    }
  } catch (error) {
    if (!(error instanceof DamagedLog)) throw error
    report({ check: 'readable', at: 'the log', detail: error.message })
  }
  for (const ledger of ledgers.values()) ledger.end()
  return { events, ledgers }
}

function checkCanonical({ data, metadata }: RecordedEvent, at: string, report: Report): void {
  for (const [part, text] of Object.entries({ data, metadata })) {
    if (canonicalJson(JSON.parse(text)) === text) continue
    report({ check: 'canonical', at, detail: `its ${part} is not canonical JSON: ${text}` })
  }
}

function unreadable({ stream, revision }: RecordedEvent, error: unknown) {
  const detail = error instanceof Error ? error.message : String(error)
  return { check: 'known', at: `${stream}@${revision}`, detail } as const
}
