import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, type FromSchema, type Schema } from '../../platform/json-schema.ts'

const runningSchema = {
  type: 'object',
  properties: { pid: { type: 'integer' }, url: { type: 'string' } },
  required: ['pid', 'url'],
  additionalProperties: false,
} as const satisfies Schema

type Running = FromSchema<typeof runningSchema>
const isRunning = compile(runningSchema)

const pathIn = (folder: string): string => join(folder, 'running.json')

/** How long the server of a note may take to say that it is there. */
const probeTimeoutMs = 1_000

/** Leaves a note in the folder of who serves it. The lock is what counts; the note says where. */
export function leaveNote(folder: string, url: string): { remove(): void } {
  const note: Running = { pid: process.pid, url }
  writeFileSync(pathIn(folder), `${JSON.stringify(note)}\n`)
  return { remove: () => rmSync(pathIn(folder), { force: true }) }
}

/** The URL where the folder is served. A note that a killed process left behind says nothing. */
export async function urlOfFolder(folder: string): Promise<string | undefined> {
  const note = readNote(folder)
  if (!note || !isAlive(note.pid)) return undefined
  try {
    const signal = AbortSignal.timeout(probeTimeoutMs)
    const { ok } = await fetch(new URL('/healthz', note.url), { signal, redirect: 'error' })
    return ok ? note.url : undefined
  } catch {
    return undefined // somebody else has the number by now
  }
}

function readNote(folder: string): Running | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(pathIn(folder), 'utf8'))
    return isRunning(note) ? note : undefined
  } catch {
    return undefined // none, or one that was cut: it is only a note
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
