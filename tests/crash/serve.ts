import { loadConfig } from '../../app/config.ts'
import { openEvident } from '../../app/open-evident.ts'
import { createLog } from '../../platform/log.ts'

/**
 * Evident in a process that its parent can kill: it sends its URL when it serves, rebuilds a
 * projection on request, and ends by itself on SIGTERM.
 */
const startedAt = performance.now()
const config = loadConfig(process.env)
const evident = await openEvident(config, createLog(config.logLevel))

process.once('SIGTERM', async () => {
  await evident.close()
  process.exit(0)
})
process.on('message', async ({ rebuild }: { readonly rebuild: string }) => {
  await evident.readSide.projections.rebuild(rebuild)
  process.send?.({ rebuilt: rebuild })
})
process.send?.({ url: evident.url, openedInMs: performance.now() - startedAt })
