import type { IncomingMessage } from 'node:http'
import { problem } from './edge-problems.ts'

/**
 * Refuses what no route should see: too many headers, a target that is not a path, and a `Host`
 * that is not ours. A page of another site that rebinds its name to our address sends its own name
 * as Host, and is refused. `X-Forwarded-*` and `Forwarded` are never read, here or elsewhere.
 */
export function createGuard(
  allowedHosts: readonly string[],
  maxHeaders: number,
): (req: IncomingMessage) => void {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()))
  let lastAllowed: string | undefined // clients send the same again and again
  return (req) => {
    if (req.rawHeaders.length > maxHeaders * 2) {
      throw problem('headers-too-large', { detail: `More than ${maxHeaders} headers.` })
    }
    if (!req.url?.startsWith('/')) throw problem('invalid-target')
    const { host = '' } = req.headers
    if (host === lastAllowed) return
    if (!allowed.has(hostname(host))) throw problem('host-not-allowed')
    lastAllowed = host
  }
}

/** Without its port; an IPv6 address keeps its brackets. */
function hostname(host: string): string {
  const colon = host.lastIndexOf(':')
  const isPort = colon > host.lastIndexOf(']')
  return (isPort ? host.slice(0, colon) : host).toLowerCase()
}

/** The names under which a loopback server is reached. */
export const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]']
