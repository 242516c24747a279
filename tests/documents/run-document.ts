import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A fenced block of a document: what it is, what it says, and where. */
export interface Block {
  /** The words behind the fence: `sh`, `sh background`, `sh with FILE`, `json`, `text`. */
  readonly info: string
  readonly text: string
  readonly line: number
}

export interface Executed {
  readonly command: Block
  /** What the document shows below the command, where it shows something. */
  readonly expected: Block | undefined
  readonly output: string
  readonly exitCode: number | null
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The port that documents name. A free one stands in for it while they are run. */
const documentedPort = '8080'

const commandTimeoutMs = 60_000

export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { info: string; from: number } | undefined
  const lines = markdown.split('\n')
  for (const [index, line] of lines.entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (!fence) continue
    if (open) {
      blocks.push({
        info: open.info,
        text: lines.slice(open.from, index).join('\n'),
        line: open.from + 1,
      })
      open = undefined
    } else open = { info: fence[1] ?? '', from: index + 1 }
  }
  return blocks
}

/**
 * Runs the `sh` blocks of a document in order, in a folder of their own with the checkout's own
 * `evident`; `sh background` blocks run on beside the others, `sh with FILE` ones are left out where
 * the folder has no such file. A `json` or `text` block that follows directly is what the command is
 * said to print.
 */
export async function runDocument(markdown: string, folder: string): Promise<readonly Executed[]> {
  const port = await freePort()
  const environment = environmentIn(folder)
  const background: ChildProcess[] = []
  const executed: Executed[] = []
  const blocks = blocksOf(markdown)
  try {
    for (const [index, command] of blocks.entries()) {
      const [language, ...words] = command.info.split(' ')
      if (language !== 'sh' || !hasNeeded(words, folder)) continue
      const inBackground = words.includes('background')
      const text = command.text.replaceAll(documentedPort, port)
      const next = blocks[index + 1]
      const expected = next && /^(json|text)$/.test(next.info) ? next : undefined
      const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', text], {
        cwd: folder,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      if (inBackground) background.push(child)
      const result = await (inBackground ? firstLine(child) : finished(child))
      const output = result.output.replaceAll(port, documentedPort)
      executed.push({ command, expected, output, exitCode: result.exitCode })
    }
  } finally {
    await Promise.all(background.map(stop))
  }
  return executed
}

/** Data that nobody may hand on are there for some readers only. */
function hasNeeded(words: readonly string[], folder: string): boolean {
  const file = words[words.indexOf('with') + 1]
  return !words.includes('with') || file === undefined || existsSync(join(folder, file))
}

/** `npx evident` and `evident` are this checkout, `npx node` is this Node; `npx` runs nothing else. */
function environmentIn(folder: string): NodeJS.ProcessEnv {
  const programs = join(folder, '.programs')
  mkdirSync(programs, { recursive: true })
  const evident = `exec '${process.execPath}' '${join(root, 'app/evident.js')}' "$@"`
  const scripts = {
    evident,
    npx: `[ "$1" != node ] || exec "$@"\n[ "$1" = evident ] || { echo "npx $1 is not run here" >&2; exit 1; }\nshift\n${evident}`,
    node: `exec '${process.execPath}' "$@"`,
  }
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(programs, name), `#!/usr/bin/env bash\n${script}\n`)
    chmodSync(join(programs, name), 0o755)
  }
  const { PATH, HOME } = process.env
  return { PATH: `${programs}:${PATH}`, HOME, LOG_LEVEL: 'error', EVIDENT_CHECKOUT: root }
}

/** A folder as readers have theirs: the examples in it, and the bank's year where it is at hand. */
export function prepareFolder(folder: string): void {
  symlinkSync(join(root, 'examples'), join(folder, 'examples'))
  const bankYear = join(root, '../shared/data/berka/trans-1993.asc')
  if (existsSync(bankYear)) symlinkSync(bankYear, join(folder, 'trans-1993.asc'))
}

interface Result {
  readonly output: string
  readonly exitCode: number | null
}

function finished(child: ChildProcess): Promise<Result> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`no end after ${commandTimeoutMs} ms: ${child.spawnargs.at(-1)}`))
    }, commandTimeoutMs)
    child.stdout?.on('data', (text) => (output += text))
    child.stderr?.on('data', (text) => (output += text))
    child.on('close', (exitCode) => {
      clearTimeout(timer)
      resolve({ output, exitCode })
    })
  })
}

/** What runs on is ready when it has said its first line. */
function firstLine(child: ChildProcess): Promise<Result> {
  return new Promise((resolve, reject) => {
    let output = ''
    const heard = (text: Buffer) => {
      output += text
      if (output.includes('\n')) resolve({ output, exitCode: 0 })
    }
    child.stdout?.on('data', heard)
    child.stderr?.on('data', heard)
    child.on('close', () => reject(new Error(`it ended at once: ${output}`)))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  await ended
}

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return String(address.port)
}

/** Times, ids and the like are others at each run: what is compared is the rest. */
export function withoutChance(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replaceAll(/00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]/g, 'TRACE')
    .replaceAll(/"(requestId|correlationId|next|hash)":\s*"[^"]+"/g, '"$1":"ANY"')
    .replaceAll(/"lagSeconds":\s*[0-9.]+/g, '"lagSeconds":ANY')
    .replaceAll(/(X-Request-Id|Evident-Age-Ms|Date): .*/g, '$1: ANY')
    .replaceAll(/\d+(\.\d+)? (s|ms)\b/g, 'ANY s')
    .replaceAll('\r', '')
    .trim()
}
