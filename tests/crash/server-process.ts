import { type ChildProcess, fork } from 'node:child_process'

/** A server of its own process, on a folder, that can be killed at any moment. */
export interface ServerProcess {
  readonly url: string
  readonly pid: number
  /** From its start until it served. */
  readonly startMs: number
  /** What it has written to its log so far. */
  readonly log: () => string
  rebuild(projection: string): void
  signal(signal: NodeJS.Signals): void
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** A server that is starting. It can be killed before it serves. */
export interface Starting {
  readonly child: ChildProcess
  readonly serving: Promise<ServerProcess>
}

const script = new URL('./serve.ts', import.meta.url)

/** Bytes of a server's log that are kept: its end. */
const maxLogCharacters = 64_000

/** All servers of this process: none outlives it. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a server on any free port; `environment` is added to its configuration. */
export function startServer(
  dataFolder: string,
  environment: Readonly<Record<string, string>> = {},
): Starting {
  const startedAt = performance.now()
  const child = fork(script, {
    env: { ...process.env, DATA_FOLDER: dataFolder, PORT: '0', LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  running.add(child)
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = `${log}${text}`.slice(-maxLogCharacters)
  })
  const { promise: ended, resolve: end } = Promise.withResolvers<number | NodeJS.Signals>()
  child.once('exit', (code, signal) => {
    running.delete(child)
    end(code ?? signal ?? 'SIGKILL')
  })
  const serving = new Promise<ServerProcess>((resolve, reject) => {
    child.once('message', ({ url }: { readonly url: string }) =>
      resolve({
        url,
        pid: child.pid ?? 0,
        startMs: performance.now() - startedAt,
        log: () => log,
        rebuild: (rebuild) => child.connected && child.send({ rebuild }),
        signal: (signal) => child.kill(signal),
        ended,
      }),
    )
    ended.then((how) => reject(new Error(`the server ended with ${how} before it served: ${log}`)))
  })
  serving.catch(() => undefined) // who kills it while it starts does not wait for it
  return { child, serving }
}
