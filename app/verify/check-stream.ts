import {
  isRejection,
  type Name,
  type PlacedEvent,
  textOf,
} from '../../command-service/domain/decider.ts'
import { keyName } from '../../command-service/fingerprint.ts'
import type { IdIndex } from '../../command-service/id-index.ts'
import {
  createRecall,
  namesOfEvent,
  type Recollection,
  seek,
} from '../../command-service/recall.ts'
import {
  type CommandAccepted,
  type Decoded,
  type DomainEvent,
  isDomainEvent,
} from '../../events/codec.ts'
import type { CommandMetadata } from '../../events/event-metadata.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import type { AnyDomain } from '../domain-entry.ts'
import type { Check, Report } from './finding.ts'
import type { LogToPosition } from './log-to-position.ts'

type StreamEvent = Decoded<DomainEvent | CommandAccepted>

/** What a stream comes to. */
export interface CheckedStream {
  readonly domain: AnyDomain
  readonly state: unknown
  readonly revision: bigint
}

/** Checks one stream of a domain, event by event in order, and folds it. */
export interface StreamCheck extends CheckedStream {
  add(event: StreamEvent): Promise<void>
  /** What can be said only when all events have been seen. */
  end(): void
}

export interface StreamCheckOptions {
  readonly stream: string
  readonly domain: AnyDomain
  readonly store: Pick<LogToPosition, 'readStream'>
  /** Where the ids that commands used are remembered; of this verification alone. */
  readonly index: IdIndex
  readonly report: Report
}

export function createStreamCheck(options: StreamCheckOptions): StreamCheck {
  const { stream, domain, store, index, report } = options
  const { codec, decider, audit, namesIn } = domain
  const recall = createRecall({ store, index, codec, namesIn })
  let state = decider.initialState()
  let revision = -1n
  let underWay: StreamEvent[] = []

  const find = (check: Check, event: StreamEvent, detail: string): void =>
    report({ check, at: `${stream}@${event.revision}`, detail })

  /** The events of a command stand together, each with its place: else a part of them is missing. */
  async function gather(event: StreamEvent, command: CommandMetadata): Promise<void> {
    const { index: place, count, hash } = command
    const before = underWay[0]?.metadata.command
    if (place !== underWay.length || (before && (before.hash !== hash || before.count !== count))) {
      find('lawful', event, 'its command is only partly in the log')
      takeIn(underWay)
      underWay = []
    }
    underWay.push(event)
    if (underWay.length < count) return
    const whole = underWay
    underWay = []
    try {
      await judge(whole[0] ?? event, command, whole.filter(isDomainEvent))
    } finally {
      takeIn(whole)
    }
  }

  /** Whatever is found of them, they have happened. */
  function takeIn(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (isDomainEvent(event)) state = decider.evolve(state, event)
      for (const name of namesOfEvent(event, namesIn)) {
        index.add(seek(stream, name).fingerprint, event.revision)
      }
    }
  }

  /** Decides the command again on the state before it: it must make the very same events. */
  async function judge(
    first: StreamEvent,
    { type, caller, key }: CommandMetadata,
    events: readonly Decoded<DomainEvent>[],
  ): Promise<void> {
    if (key !== undefined) await requireUnused(keyName(caller, key), first)
    if (events.length === 0) {
      if (key === undefined) find('lawful', first, 'without a key it had no reason to be there')
      return
    }
    const command = audit.commandOf(type, events)
    if (!command) {
      const types = events.map((event) => event.type).join(', ')
      find('lawful', first, `no command ${type} makes these events: ${types}`)
    } else {
      const own = domain.nameOf(command)
      if (own) await requireUnused(own, first)
      const now = first.metadata.recordedAt
      const recalled = await recallFor(command)
      const decision = decider.decide(command, state, { now, recalled })
      const made = canonicalJson(events.map(({ type, data }) => ({ type, data })))
      if (isRejection(decision)) {
        find('lawful', first, `the rules refuse it: ${decision.code}, ${decision.detail}`)
      } else if (canonicalJson(decision) !== made) {
        find('lawful', first, `the rules make ${canonicalJson(decision)}, the log has ${made}`)
      }
    }
  }

  /** A command whose name was used gets the first one's answer, or none: it leaves no event. */
  async function requireUnused(name: Name, event: StreamEvent) {
    if (!(await lookUp([name])).has(textOf(name))) return
    find('unique-id', event, `the ${name.namespace} ${name.id} is there already`)
  }

  async function recallFor(
    command: Parameters<typeof decider.decide>[0],
  ): Promise<ReadonlyMap<string, PlacedEvent<DomainEvent>>> {
    const recalled = new Map<string, PlacedEvent<DomainEvent>>()
    const names = decider.recalls?.(command, state) ?? []
    if (names.length === 0) return recalled
    for (const [text, { event }] of await lookUp(names)) if (event) recalled.set(text, event)
    return recalled
  }

  const lookUp = (
    names: readonly Name[],
  ): Promise<ReadonlyMap<string, Recollection<DomainEvent>>> =>
    recall(
      stream,
      names.map((name) => seek(stream, name)),
    )

  return {
    domain,

    async add(event) {
      revision = event.revision
      const { command } = event.metadata
      if (command) await gather(event, command)
      else {
        find('lawful', event, 'it names no command')
        takeIn([event])
      }
    },

    end() {
      const [left] = underWay
      if (left) find('lawful', left, 'its command is only partly there')
      takeIn(underWay)
      for (const detail of audit.faultsOf?.(state) ?? []) {
        report({ check: 'invariant', at: stream, detail })
      }
    },

    get state() {
      return state
    },
    get revision() {
      return revision
    },
  }
}
