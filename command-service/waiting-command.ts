import type { DomainEvent } from '../events/codec.ts'
import { type Outcome, OutcomeUnknown, Overloaded } from './command.ts'
import type { Candidate } from './decide-batch.ts'

/** A command whose caller waits for what became of it. */
export interface WaitingCommand<Command, Event extends DomainEvent, Code extends string>
  extends Candidate<Command> {
  readonly resolve: (outcome: Outcome<Event, Code>) => void
  readonly reject: (error: Error) => void
  /** Its caller was told something: it must not be decided any more. */
  isAnswered: boolean
}

/** So many commands, of so many bytes, were answered, each once. */
export type OnAnswered = (commands: number, bytes: number) => void

/** Answers commands, each once: those that were told something already are passed over. */
export function createAnswering<Command, Event extends DomainEvent, Code extends string>(
  onAnswered: OnAnswered,
) {
  type Waiting = WaitingCommand<Command, Event, Code>

  function refuse(one: Waiting, reason: Error): void {
    if (one.isAnswered) return
    one.isAnswered = true
    one.reject(reason)
    onAnswered(1, one.bytes)
  }

  return {
    /** Tells commands their outcomes, which are in the same order. */
    answer(commands: readonly Waiting[], outcomes: readonly Outcome<Event, Code>[]): void {
      let answered = 0
      let bytes = 0
      for (const [n, outcome] of outcomes.entries()) {
        const one = commands[n]
        if (!one || one.isAnswered) continue
        one.isAnswered = true
        one.resolve(outcome)
        answered += 1
        bytes += one.bytes
      }
      onAnswered(answered, bytes)
    },

    refuse,

    /** Refuses those whose deadline has passed, and tells how many. */
    refuseLate(commands: readonly Waiting[], now: number, mayBeDone = false): number {
      let refused = 0
      for (const one of commands) {
        if (one.isAnswered || one.request.deadline > now) continue
        refused += 1
        const reason = mayBeDone
          ? new OutcomeUnknown('the deadline passed while it was appended')
          : new Overloaded('the deadline passed before it was decided')
        refuse(one, reason)
      }
      return refused
    },
  }
}
