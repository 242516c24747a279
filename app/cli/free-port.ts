import { createServer } from 'node:net'
import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'

/** Ports that are tried, from the first. */
const maxTried = 100

/** The first port from the given one on that nobody listens on. @throws {CommandFailed} */
export async function findFreePort(host: string, first: number): Promise<number> {
  for (let port = first; port < first + maxTried && port <= 65_535; port += 1) {
    if (await isFree(host, port)) return port
  }
  const text = `No port from ${first} on is free: give another with --port, or --port 0 for any.`
  throw new CommandFailed(exitCodes.unavailable, text)
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
