import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino'

export type Log = Logger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** Control characters beyond those that JSON escapes: a terminal acts on C1 codes and on DEL. */
const terminalCodes = /[\u007f-\u009f\u2028\u2029]/g
const escapeCode = (code: string): string =>
  `\\u${code.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Keys whose values must never be written, wherever they stand. */
const secrets = ['authorization', 'cookie', 'password', 'secret', 'token', 'apiKey']

/**
 * JSON lines to stderr. Whatever is in a value, one record is one line, without a code that a
 * terminal would act on. Bodies are not logged; errors carry their causes.
 */
export function createLog(
  level: LogLevel,
  to: DestinationStream = destination({ dest: 2, sync: true }),
): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.errWithCause },
      redact: { paths: secrets.flatMap((key) => [key, `*.${key}`]), censor: '[secret]' },
    },
    { write: (line: string) => to.write(line.replace(terminalCodes, escapeCode)) },
  )
}

/** Writes nothing. */
export const silentLog: Log = pino({ level: 'silent' })
