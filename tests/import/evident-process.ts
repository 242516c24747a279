import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../app/evident.js', import.meta.url))

/** All that this process has started: none outlives it. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The program in a process of its own, as a user starts it. */
export interface EvidentProcess {
  kill(): void
  /** `undefined` where a signal ended it. */
  readonly exitCode: Promise<number | undefined>
  readonly out: () => string
  readonly err: () => string
}

export function startEvident(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): EvidentProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exitCode = new Promise<number | undefined>((resolve) => {
    child.once('close', (code) => {
      running.delete(child)
      resolve(code ?? undefined)
    })
  })
  return { kill: () => child.kill('SIGKILL'), exitCode, out: () => out, err: () => err }
}
