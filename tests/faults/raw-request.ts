import { once } from 'node:events'
import { createConnection } from 'node:net'

interface Target {
  readonly url: string
}

export interface RawAnswer {
  readonly status: number
  readonly code: string | undefined
  readonly headers: Headers
  /** The lines of an NDJSON answer. */
  readonly lines: readonly Readonly<Record<string, unknown>>[]
}

/** One request with exactly these headers. */
export async function answerTo(
  { url }: Target,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Buffer,
): Promise<RawAnswer> {
  const sent = body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }
  const response = await fetch(`${url}${path}`, { method, headers, ...sent })
  const text = await response.text()
  const isLines = response.headers.get('content-type') === 'application/x-ndjson'
  const whole = isLines ? {} : (JSON.parse(text || '{}') as { readonly code?: string })
  const lines = isLines ? text.trimEnd().split('\n') : []
  return {
    status: response.status,
    code: whole.code,
    headers: response.headers,
    lines: lines.map((line) => JSON.parse(line)),
  }
}

/** Writes parts on a connection of their own, as fast as they are taken; gives all that came back. */
export async function rawRequest(
  { url }: Target,
  parts: readonly string[],
  { end = false }: { readonly end?: boolean } = {},
): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  let isOver = false
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isOver = true
      resolve()
    })
  })
  socket.on('error', () => undefined) // what came before counts
  for (const part of parts) {
    if (isOver || text !== '') break
    if (!socket.write(part))
      await Promise.race([once(socket, 'drain').catch(() => undefined), closed])
  }
  if (end) socket.end()
  await closed
  return text
}
