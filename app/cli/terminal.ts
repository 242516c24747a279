import { createInterface } from 'node:readline'
import { styleText } from 'node:util'
import type { Environment } from '../config.ts'

/** What a command writes to and hears from. */
export interface Terminal {
  readonly environment: Environment
  /** Results. Text from outside goes through `printable` first. */
  readonly out: (text: string) => void
  /** Progress and errors: a stream, because bars draw themselves. */
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Whether somebody watches the results, rather than a pipe or a file. */
  readonly isWatched: boolean
  /** Colours and weights for the results, only on a terminal that shows them. */
  readonly paint: (style: Style, text: string) => string
  /** Aborted by the first SIGINT or SIGTERM from now on; the second ends the process at once. */
  readonly stopSignal: () => AbortSignal
  /** Asks whoever sits there; not there where nobody does. Only a `y` or `yes` is a yes. */
  readonly confirm?: (question: string) => Promise<boolean>
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Under npx one Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const sameKeyMs = 300

const signals = { SIGINT: 130, SIGTERM: 143 } as const

export function openTerminal(process: NodeJS.Process, environment: Environment): Terminal {
  const { stdin, stdout, stderr } = process
  const stopping = new AbortController()
  let isListening = false
  let stoppedAt = 0
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0) // whoever read the results has enough of them
  })

  return {
    environment,
    out: (text) => void stdout.write(text),
    err: stderr,
    isWatched: stdout.isTTY === true,
    paint: (style, text) => styleText(style, text, { stream: stdout, validateStream: true }),
    stopSignal() {
      if (isListening) return stopping.signal
      isListening = true
      for (const [signal, exitCode] of Object.entries(signals)) {
        process.on(signal, () => {
          const now = performance.now()
          if (stopping.signal.aborted && now - stoppedAt > sameKeyMs) process.exit(exitCode)
          stoppedAt ||= now
          stopping.abort()
        })
      }
      return stopping.signal
    },
    ...(stdin.isTTY && stderr.isTTY && { confirm: (question) => ask(question, stdin, stderr) }),
  }
}

/** Ctrl-C, Ctrl-D and whatever is no yes are a no. */
function ask(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  return new Promise((resolve) => {
    const lines = createInterface({ input, output })
    let isYes: boolean | undefined
    lines.once('SIGINT', () => lines.close())
    lines.once('close', () => {
      if (isYes === undefined) output.write('\n') // the cursor stands behind the question
      resolve(isYes ?? false)
    })
    lines.question(question, (answer) => {
      isYes = /^\s*y(es)?\s*$/i.test(answer)
      lines.close()
    })
  })
}

/** Text from outside without the control characters that would command the terminal. */
export const printable = (text: string): string => text.replaceAll(/[^\P{Cc}\n]/gu, '?')
