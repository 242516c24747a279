import { isDeepStrictEqual } from 'node:util'
import { acceptedOf, type History, type ReadTotals, type Sent } from './history.ts'
import type { Logged } from './logged.ts'

/** The events that one command left, as they stand together in its stream. */
interface Done {
  readonly events: readonly Logged[]
  readonly last: bigint
}

/**
 * Compares the log with what clients were told: every difference is a line. The numbers are those
 * of the invariants: I1 acknowledged exactly once, I2 refused left nothing, I3 never half, I4 order,
 * I6 reads never go back, I7 money is conserved, I8 what was seen stays.
 */
export function checkLog(
  log: readonly Logged[],
  { sent, reads, alarms }: History,
  before: readonly Logged[] = [],
): readonly string[] {
  const ledgers = log.filter(({ stream }) => stream.startsWith('ledger-'))
  const problems = [...alarms.map((alarm) => `alarm: ${alarm}`), ...checkSeen(log, before)]
  problems.push(...checkDense(ledgers))
  const { done, halves } = commandsIn(ledgers)
  problems.push(...halves)
  const named = new Set<string>()
  for (const command of sent) {
    const name = nameOf(command)
    named.add(name)
    problems.push(...checkCommand(command, done.get(name) ?? []))
  }
  for (const name of done.keys()) if (!named.has(name)) problems.push(`I1 nobody sent ${name}`)
  problems.push(...checkOrder(sent, done), ...reads.flatMap(checkRead))
  return problems
}

const nameOf = ({ ledger, key, id }: Pick<Sent, 'ledger' | 'key' | 'id'>): string =>
  `ledger-${ledger} ${key === undefined ? `id ${id}` : `key ${key}`}`

function checkSeen(log: readonly Logged[], before: readonly Logged[]): readonly string[] {
  return before.flatMap((one, place) =>
    isDeepStrictEqual(one, log[place])
      ? []
      : [`I8 ${one.stream}@${one.revision} changed or is gone`],
  )
}

function checkDense(log: readonly Logged[]): readonly string[] {
  const next = new Map<string, bigint>()
  const ids = new Set<string>()
  const problems: string[] = []
  for (const { id, stream, revision } of log) {
    const expected = next.get(stream) ?? 0n
    if (revision !== expected) problems.push(`I1 ${stream}: ${revision} where ${expected} was due`)
    next.set(stream, revision + 1n)
    if (ids.has(id)) problems.push(`I1 the event ${id} is there twice`)
    ids.add(id)
  }
  return problems
}

/** Cuts each stream into commands by what the metadata says of them: all of each, or it is half. */
function commandsIn(log: readonly Logged[]) {
  const done = new Map<string, Done[]>()
  const halves: string[] = []
  const open = new Map<string, Logged[]>()
  for (const one of log) {
    const { command } = one.metadata
    const at = `${one.stream}@${one.revision}`
    if (!command) {
      halves.push(`I3 ${at} is of no command`)
      continue
    }
    const events = [...(open.get(one.stream) ?? []), one]
    const [first] = events
    const isNext =
      command.index === events.length - 1 && command.hash === first?.metadata.command?.hash
    if (!isNext) halves.push(`I3 ${at} does not belong to what is before it`)
    if (events.length < command.count) {
      open.set(one.stream, events)
      continue
    }
    open.delete(one.stream)
    const name = command.key === undefined ? `id ${transactionIn(events)}` : `key ${command.key}`
    const list = done.get(`${one.stream} ${name}`) ?? []
    done.set(`${one.stream} ${name}`, [...list, { events, last: one.revision }])
  }
  for (const [stream] of open) halves.push(`I3 ${stream} ends within a command`)
  return { done, halves }
}

function transactionIn(events: readonly Logged[]): string | undefined {
  const last = events.at(-1)?.event
  return last?.type === 'TransactionPosted' ? last.data.id : undefined
}

function checkCommand(command: Sent, done: readonly Done[]): readonly string[] {
  const name = nameOf(command)
  const accepted = acceptedOf(command)
  if (done.length > 1) return [`I1 ${name} is there ${done.length} times`]
  const [only] = done
  if (!only) {
    return accepted.length > 0 ? [`I1 ${name} was acknowledged and is not there`] : []
  }
  if (accepted.length === 0) {
    const { status } = command.attempts.at(-1)?.outcome ?? { status: 'never sent' }
    return [`I2 ${name} is there and its client was told: ${status}`]
  }
  const wrong = accepted.filter(({ revision }) => revision !== only.last)
  const problems = wrong.map(({ revision }) => `I1 ${name}: told ${revision}, it is ${only.last}`)
  const first = accepted.filter(({ replayed }) => !replayed)
  if (first.length > 1) problems.push(`I1 ${name} was done anew ${first.length} times`)
  const last = only.events.at(-1)?.event
  if (command.type !== 'PostTransaction') return problems
  const isSame =
    last?.type === 'TransactionPosted' &&
    isDeepStrictEqual(last.data.postings, command.body.postings)
  return isSame ? problems : [...problems, `I1 ${name} has other postings than were sent`]
}

/** What was acknowledged before another command was sent stands before it. */
function checkOrder(
  sent: readonly Sent[],
  done: ReadonlyMap<string, readonly Done[]>,
): readonly string[] {
  const byStream = Map.groupBy(
    sent.flatMap((command) => {
      const [only] = done.get(nameOf(command)) ?? []
      const firstSentAt = Math.min(...command.attempts.map(({ sentAt }) => sentAt))
      const told = command.attempts.filter(({ outcome }) => outcome.status === 'accepted')
      const toldAt = Math.min(...told.map(({ endedAt }) => endedAt))
      return only ? [{ command, at: only.last, firstSentAt, toldAt }] : []
    }),
    ({ command }) => command.ledger,
  )
  const problems: string[] = []
  for (const placed of byStream.values()) {
    let toldLater = Number.POSITIVE_INFINITY
    for (const one of placed.sort((a, b) => Number(b.at - a.at))) {
      if (toldLater < one.firstSentAt) {
        problems.push(`I4 ${nameOf(one.command)} stands before what was done before it was sent`)
      }
      toldLater = Math.min(toldLater, one.toldAt)
    }
  }
  return problems
}

function checkRead({ ledger, minRevision, revision, sums }: ReadTotals): readonly string[] {
  const problems: string[] = []
  if (revision < minRevision) problems.push(`I6 ${ledger} went back to ${revision}`)
  for (const [asset, sum] of Object.entries(sums)) {
    if (sum !== '0') problems.push(`I7 ${ledger}@${revision}: ${asset} sums to ${sum}`)
  }
  return problems
}
