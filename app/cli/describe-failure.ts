import type { InvalidConfig } from '../config.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'

/** A failure as people read it: what is wrong, what to do, and what the program ends with. */
export interface Failure {
  readonly exitCode: ExitCode
  /** Mostly one line. */
  readonly text: string
}

/** A failure that a command has put into words itself. */
export class CommandFailed extends Error {
  readonly code = 'COMMAND_FAILED'
  readonly exitCode: ExitCode
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** Never a stack: whoever reads this wants to know what to do. */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { exitCode: exitCodes.fault, text: String(error) }
  if (error instanceof CommandFailed) return { exitCode: error.exitCode, text: error.message }
  const code = 'code' in error ? String(error.code) : ''
  const known = byCode[code]
  return known ? known(error) : fault(error)
}

const fault = ({ message }: Error): Failure => ({
  exitCode: exitCodes.fault,
  text: `${message}\nThis should not happen. With LOG_LEVEL=debug the details are shown.`,
})

type Describe = (error: Error) => Failure

const data =
  (advice = ''): Describe =>
  ({ message }) => ({ exitCode: exitCodes.data, text: `${message}${advice}` })

const unavailable =
  (text: (error: Listening) => string): Describe =>
  (error) => ({ exitCode: exitCodes.unavailable, text: text(error as Listening) })

/** What Node tells of a file or an address that it could not use. */
interface Listening extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
}

const place = ({ address, port }: Listening): string => `port ${port} of ${address}`

const notWritable: Describe = (error) => {
  const { syscall, path, address } = error as Listening
  if (syscall === 'listen') {
    return {
      exitCode: exitCodes.unavailable,
      text: `${address} may not be listened on there: give --port a number above 1023.`,
    }
  }
  return {
    exitCode: exitCodes.data,
    text: `${path ?? error.message} cannot be written: check its permissions, or give another folder with --data.`,
  }
}

const sqlite: Describe = (error) => {
  const result = 'errcode' in error ? Number(error.errcode) & 0xff : 0
  const reason = sqliteReasons[result]
  if (reason === undefined) return fault(error)
  return { exitCode: exitCodes.data, text: `The data folder ${reason} (${error.message}).` }
}

/** SQLite's primary result codes that say something of the folder, not of the program. */
const sqliteReasons: Readonly<Record<number, string>> = {
  8: 'is read-only: check its permissions, or give another with --data',
  10: 'could not be read or written: check the disk',
  13: 'is on a full disk: make room and start again, nothing acknowledged is lost',
  14: 'cannot be opened: check that it is there and may be written, or give another with --data',
}

const byCode: Readonly<Record<string, Describe>> = {
  INVALID_CONFIG: (error) => ({
    exitCode: exitCodes.usage,
    text: ['The configuration cannot be used:', ...(error as InvalidConfig).problems].join('\n  '),
  }),
  FOLDER_IN_USE: ({ message }) => ({ exitCode: exitCodes.unavailable, text: message }),
  NO_LOG: data(),
  DAMAGED_LOG: data(),
  READ_MODELS_DAMAGED: data(),
  READ_MODELS_UNAVAILABLE: data(),
  EVENT_STORE_UNAVAILABLE: data(),
  ERR_SQLITE_ERROR: sqlite,
  EADDRINUSE: unavailable(
    (error) => `${place(error)} is taken: give another with --port, or --port 0 for any free one.`,
  ),
  EADDRNOTAVAIL: unavailable(({ address }) => `${address} is no address of this machine.`),
  ENOTFOUND: unavailable(({ message }) => `The host is not known (${message}).`),
  EACCES: notWritable,
  EPERM: notWritable,
  EROFS: notWritable,
  ENOTDIR: notWritable,
  EEXIST: notWritable,
  ENOSPC: data(': the disk is full; make room and start again, nothing acknowledged is lost.'),
}
