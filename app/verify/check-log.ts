import { createCodec } from '../../events/codec.ts'
import { controlCodec, controlStream, type Skip } from '../../events/control.ts'
import { DamagedLog, type RecordedEvent } from '../../events/event-store.ts'
import { identityStream, logEvents } from '../../events/log-identity.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import type { AnyDomain } from '../domain-entry.ts'
import { type CheckedStream, createStreamCheck, type StreamCheck } from './check-stream.ts'
import type { Report } from './finding.ts'
import type { LogToPosition } from './log-to-position.ts'
import type { UsedIds } from './used-ids.ts'

const identityCodec = createCodec(logEvents)

export interface CheckedLog {
  readonly events: number
  /** What the domains' streams come to, by name. */
  readonly streams: ReadonlyMap<string, CheckedStream>
  /** What operators had left out of read models. */
  readonly skips: readonly Skip[]
}

export interface CheckLogOptions {
  readonly domains: readonly AnyDomain[]
  readonly ids: UsedIds
  readonly report: Report
  readonly onProgress: (position: string) => void
}

/**
 * Reads the whole log once and checks each event: its bytes, its place, its time, and that the rules
 * of its domain would make it again of the state before it. A log that cannot be read on is checked
 * to there.
 */
export async function checkLog(
  store: LogToPosition,
  { domains, ids, report, onProgress }: CheckLogOptions,
): Promise<CheckedLog> {
  const streams = new Map<string, StreamCheck>()
  const ends = new Map<string, { revision: bigint; recordedAt: string }>()
  const skips: Skip[] = []
  let events = 0

  function checkOf(stream: string, domain: AnyDomain): StreamCheck {
    let check = streams.get(stream)
    if (!check) {
      check = createStreamCheck({ stream, domain, store, index: ids.of(domain), report })
      streams.set(stream, check)
    }
    return check
  }

  /** Checks what the event's domain says of it, and says when that has it that it was recorded. */
  async function checkMeaning(recorded: RecordedEvent, at: string): Promise<string | undefined> {
    const { stream } = recorded
    const category = stream.slice(0, stream.indexOf('-'))
    const domain = domains.find((one) => one.category === category)
    if (domain) {
      const event = domain.codec.decode(recorded)
      await checkOf(stream, domain).add(event)
      return event.metadata.recordedAt
    }
    if (stream === controlStream) {
      const event = controlCodec.decode(recorded)
      if (event.type === 'EventSkipped') skips.push(event.data)
    } else if (stream === identityStream) identityCodec.decode(recorded)
    else report({ check: 'known', at, detail: `streams of the category ${category} are not known` })
    return undefined
  }

  async function checkEvent(recorded: RecordedEvent): Promise<void> {
    const { stream, revision } = recorded
    const at = `${stream}@${revision}`
    checkCanonical(recorded, at, report)
    const end = ends.get(stream) ?? { revision: -1n, recordedAt: '' }
    if (revision !== end.revision + 1n) {
      const detail = `revision ${end.revision + 1n} should follow ${end.revision}`
      report({ check: 'dense', at, detail })
    }
    const recordedAt = (await checkMeaning(recorded, at)) ?? end.recordedAt
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
          await checkEvent(recorded)
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
  for (const stream of streams.values()) stream.end()
  return { events, streams, skips }
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
