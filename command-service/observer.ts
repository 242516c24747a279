/** What happened to a stream's commands, for measuring. */
export interface Observer {
  /** Commands were decided together, in so many seconds. */
  decided(commands: number, seconds: number): void
  /** Their events became durable. */
  appended(events: number, seconds: number): void
  /** Somebody else had appended to the stream first. */
  conflicted(): void
  /** The index was damaged; it is made anew from the log. */
  indexLost(cause: Error): void
}
