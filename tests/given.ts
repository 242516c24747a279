import { expect } from 'chai'
import { type Decider, isRejection } from '../command-service/domain/decider.ts'
import type { DomainEvent } from '../events/codec.ts'

export const testTime = '2026-01-31T09:30:00.000Z'

/** `given(…events).when(command).thenEvents(…)` or `.thenRejected(code)`, for one decider. */
export function givenFor<Command, Event extends DomainEvent, State, Code extends string>(
  decider: Decider<Command, Event, State, Code>,
) {
  return (...history: readonly Event[]) => ({
    when(command: Command) {
      const state = history.reduce(decider.evolve, decider.initialState())
      const decision = decider.decide(command, state, { now: testTime, recalled: new Map() })
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
