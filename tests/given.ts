import { expect } from 'chai'
import {
  type Decider,
  isRejection,
  type Name,
  type PlacedEvent,
  textOf,
} from '../command-service/domain/decider.ts'
import type { DomainEvent } from '../events/codec.ts'

export const testTime = '2026-01-31T09:30:00.000Z'

type NamesIn<Event> = (event: Event) => readonly Name[]

/** What a handler would recall of a history: the latest event about each name. */
export function recalledFrom<Event>(
  history: readonly Event[],
  names: readonly Name[],
  namesIn: NamesIn<Event>,
): ReadonlyMap<string, PlacedEvent<Event>> {
  const wanted = new Set(names.map(textOf))
  const recalled = new Map<string, PlacedEvent<Event>>()
  for (const [index, event] of history.entries()) {
    const placed = { event, revision: BigInt(index), recordedAt: testTime }
    for (const name of namesIn(event).map(textOf)) if (wanted.has(name)) recalled.set(name, placed)
  }
  return recalled
}

/**
 * `given(…events).when(command).thenEvents(…)` or `.thenRejected(code)`, for one decider; `namesIn` is
 * its domain's, where it recalls.
 */
export function givenFor<Command, Event extends DomainEvent, State, Code extends string>(
  decider: Decider<Command, Event, State, Code>,
  namesIn: NamesIn<Event> = () => [],
) {
  return (...history: readonly Event[]) => ({
    when(command: Command) {
      const state = history.reduce(decider.evolve, decider.initialState())
      const recalled = recalledFrom(history, decider.recalls?.(command, state) ?? [], namesIn)
      const decision = decider.decide(command, state, { now: testTime, recalled })
      return {
        thenEvents(...events: readonly Event[]): void {
          expect(decision).deep.equal(events)
        },
        thenRejected(code: Code, detail?: RegExp): void {
          if (!isRejection(decision)) expect.fail(`events: ${JSON.stringify(decision)}`)
          expect(decision.code).equal(code)
          if (detail) expect(decision.detail).match(detail)
        },
      }
    },
  })
}
