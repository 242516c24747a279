import type { Coverage } from './read-model-store.ts'

/** What `/status` and the metrics show of a projector. */
export interface ProjectorState {
  readonly projection: string
  readonly version: number
  readonly build: string
  readonly coverage: Coverage | undefined
  /** How old what it shows may be: the time since it was level with the log. */
  readonly lagSeconds: number | undefined
  readonly events: number
  readonly eventsPerSecond: number
  readonly gapsFilled: number
  readonly writesRefused: number
  readonly parked: number
  /** Events were left out by an operator's decision. */
  readonly isIncomplete: boolean
  /** Why it stopped for good: the program does not know an event. */
  readonly halted: string | undefined
}
