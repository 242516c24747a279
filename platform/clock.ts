/** Tells the time in milliseconds since 1970, UTC. A parameter everywhere, so that tests can set it. */
export type Clock = () => number

export const systemClock: Clock = Date.now

/** UTC with milliseconds, the only form of a time in an event: `2026-01-31T09:30:00.000Z`. */
export const timestamp = (ms: number): string => new Date(ms).toISOString()
