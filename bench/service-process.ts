import { loadConfig } from '../app/config.ts'
import { openEvident } from '../app/open-evident.ts'
import { createLog } from '../platform/log.ts'

/** The service under test, in a process of its own; it is asked and stopped over IPC. */
const evident = await openEvident(loadConfig(process.env), createLog('error'))

process.on('message', async (message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ rssBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 })
  }
  if (message !== 'stop') return
  await evident.close()
  process.disconnect()
})

process.send?.({ url: evident.url })
