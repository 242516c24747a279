/** What the program ends with; scripts may rely on it. `docs/guides/command-line.md` has the list. */
export const exitCodes = {
  done: 0,
  /** It was done, and what it found is not as it should be. */
  wrong: 1,
  /** Arguments or configuration cannot be used; nothing was done. */
  usage: 2,
  /** Something that is needed is not there or not free: a port, the folder, a server. */
  unavailable: 69,
  /** A fault of Evident. */
  fault: 70,
  /** The data cannot be used as they are: damaged, of a newer version, not writable. */
  data: 74,
  /** Interrupted: the same command again goes on. */
  interrupted: 75,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
