import { isRejection, textOf } from '../../command-service/domain/decider.ts'
import { ledgerDecider } from '../../command-service/domain/ledger/decider.ts'
import { emptyLedger, type Ledger } from '../../command-service/domain/ledger/state.ts'
import { keyName } from '../../command-service/fingerprint.ts'
import { ledgerDomain } from '../../command-service/ledger-domain.ts'
import { type CommandAccepted, type Decoded, isDomainEvent } from '../../events/codec.ts'
import type { CommandMetadata } from '../../events/event-metadata.ts'
import type { LedgerEvent } from '../../events/ledger.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import { commandOf } from './command-of-events.ts'
import type { Report } from './finding.ts'

export type LedgerStreamEvent = Decoded<LedgerEvent | CommandAccepted>

/** Checks one ledger's stream, event by event, and folds it. */
export interface LedgerCheck {
  add(event: LedgerStreamEvent): void
  /** What can be said only when all events have been seen. */
  end(): void
  /** What the events so far come to. */
  readonly state: Ledger
  readonly revision: bigint
}

export function createLedgerCheck(report: Report): LedgerCheck {
  let state = emptyLedger()
  let underWay: LedgerStreamEvent[] = []
  let last: LedgerStreamEvent | undefined
  const used = new Set<string>()

  /** The events of a command stand together, each with its place: else a part of them is missing. */
  function gather(event: LedgerStreamEvent, { index, count, hash }: CommandMetadata): void {
    const first = underWay[0]?.metadata.command
    if (index !== underWay.length || (first && (first.hash !== hash || first.count !== count))) {
      report({ check: 'lawful', at: at(event), detail: 'its command is only partly in the log' })
      underWay = []
    }
    underWay.push(event)
    if (underWay.length < count) return
    judge(underWay)
    underWay = []
  }

  /** Decides the command again on the state before it: it must make the very same events. */
  function judge(events: readonly LedgerStreamEvent[]): void {
    const [first] = events
    const command = commandOf(events)
    if (!first || command === 'nothing-changed') return
    if (!command) {
      const types = events.map(({ type }) => type).join(', ')
      report({ check: 'lawful', at: at(first), detail: `no command makes these events: ${types}` })
    } else {
      const now = first.metadata.recordedAt
      const decision = ledgerDecider.decide(command, state, { now, recalled: new Map() })
      const made = canonicalJson(events.map(({ type, data }) => ({ type, data })))
      if (isRejection(decision)) {
        const detail = `the rules refuse it: ${decision.code}, ${decision.detail}`
        report({ check: 'lawful', at: at(first), detail })
      } else if (canonicalJson(decision) !== made) {
        const detail = `the rules make ${canonicalJson(decision)}, the log has ${made}`
        report({ check: 'lawful', at: at(first), detail })
      }
    }
    for (const event of events) {
      if (isDomainEvent(event)) state = ledgerDecider.evolve(state, event)
    }
  }

  function checkIds(event: LedgerStreamEvent): void {
    const { command } = event.metadata
    const names = isDomainEvent(event) ? [...ledgerDomain.namesIn(event)] : []
    if (command?.key !== undefined && command.index === 0) {
      names.push(keyName(command.caller, command.key))
    }
    for (const name of names) {
      const text = textOf(name)
      if (used.has(text)) {
        const detail = `the ${name.namespace} ${name.id} is there already`
        report({ check: 'unique-id', at: at(event), detail })
      }
      used.add(text)
    }
  }

  return {
    add(event) {
      last = event
      checkIds(event)
      const { command } = event.metadata
      if (command) gather(event, command)
      else report({ check: 'lawful', at: at(event), detail: 'it names no command' })
    },

    end() {
      const [left] = underWay
      if (left)
        report({ check: 'lawful', at: at(left), detail: 'its command is only partly there' })
      const stream = last?.stream ?? ''
      for (const [asset, sum] of sumsOf(state)) {
        if (sum === 0n) continue
        report({ check: 'zero-sum', at: stream, detail: `all balances of ${asset} sum to ${sum}` })
      }
    },

    get state() {
      return state
    },
    get revision() {
      return last?.revision ?? -1n
    },
  }
}

const at = ({ stream, revision }: LedgerStreamEvent): string => `${stream}@${revision}`

function sumsOf({ accounts }: Ledger): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const [, { balances }] of accounts.ownEntries()) {
    for (const [asset, balance] of Object.entries(balances)) {
      sums.set(asset, (sums.get(asset) ?? 0n) + balance)
    }
  }
  return sums
}
