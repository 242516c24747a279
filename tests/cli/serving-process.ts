import { type ChildProcess, spawn } from 'node:child_process'
import { eventually } from '../eventually.ts'

export interface ServingProcess {
  readonly child: ChildProcess
  readonly url: string
  /** Its exit code; `null` where a signal ended it. */
  readonly exitCode: Promise<number | null>
}

/** `evident serve` as it is started in earnest, in a process of its own; `after` it is killed. */
export function startedServers() {
  const children: ChildProcess[] = []
  return {
    async start(data: string): Promise<ServingProcess> {
      const args = ['app/evident.js', 'serve', '--data', data, '--port', '0', '--json']
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      children.push(child)
      let out = ''
      child.stdout.on('data', (bytes) => {
        out += String(bytes)
      })
      const exitCode = new Promise<number | null>((resolve) => child.once('exit', resolve))
      await eventually(() => out.includes('\n'), 'it serves')
      return { child, exitCode, url: (JSON.parse(out) as { readonly url: string }).url }
    },
    killAll() {
      for (const child of children.splice(0)) child.kill('SIGKILL')
    },
  }
}
