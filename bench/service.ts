import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The program keeps its files without types there; what a bench starts has to as well. */
const compileCache = fileURLToPath(new URL('../node_modules/.cache/evident', import.meta.url))

export interface Usage {
  readonly rssBytes: number
  /** Of all threads, since the start. */
  readonly cpuSeconds: number
}

export interface Service {
  readonly url: string
  readonly folder: string
  usage(): Promise<Usage>
  /** Resolves when every projection has all that is in the log now; tells how long that took. */
  level(): Promise<number>
  stop(): Promise<void>
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'evident-bench-'))
export const removeFolder = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true })

/** Starts the service on a folder, in a process of its own. */
export async function startService(folder: string): Promise<Service> {
  const child = fork(fileURLToPath(new URL('./service-process.ts', import.meta.url)), {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, DATA_FOLDER: folder, PORT: '0' },
  })
  const { url } = await answer<{ url: string }>(child)
  return {
    url,
    folder,
    async usage() {
      child.send('usage')
      return answer<Usage>(child)
    },
    level: () => waitUntilLevel(url),
    async stop() {
      const ended = once(child, 'exit')
      child.send('stop')
      await ended
    },
  }
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const answered = new AbortController() // lets go of the listener that was not needed
  const { signal } = answered
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the service ended with ${code}`)
  })
  ended.catch(() => undefined)
  const [message] = await Promise.race([once(child, 'message'), ended])
  answered.abort()
  return message as T
}

interface Status {
  readonly projections: readonly { readonly position?: string }[]
}

async function waitUntilLevel(url: string): Promise<number> {
  const startedAt = performance.now()
  const last = await lastPosition(url)
  for (;;) {
    const { projections } = (await (await fetch(`${url}/status`)).json()) as Status
    if (projections.every(({ position = '' }) => position >= last)) break
    await pause(10)
  }
  return (performance.now() - startedAt) / 1_000
}

async function lastPosition(url: string): Promise<string> {
  const response = await fetch(`${url}/events?order=newest&limit=1`)
  const { items } = (await response.json()) as { items: { position: string }[] }
  const position = items[0]?.position
  if (position === undefined) throw new Error(`no last event: ${response.status}`)
  return position
}
