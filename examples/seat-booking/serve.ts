import { loadConfig } from '../../app/config.ts'
import { openEvident } from '../../app/open-evident.ts'
import { createLog } from '../../platform/log.ts'

// node examples/seat-booking/serve.ts [port] [folder]
const [, , PORT = '8080', DATA_FOLDER = './data/seat-booking'] = process.argv
const config = loadConfig({ PORT, DATA_FOLDER, LOG_LEVEL: 'warn' })
const domainsModule = new URL('./domains.ts', import.meta.url).href
const { url, close } = await openEvident(config, createLog(config.logLevel), { domainsModule })
process.stdout.write(`Seats are booked on ${url} (what it can do: ${url}/docs)\n`)

process.once('SIGINT', () => void close())
process.once('SIGTERM', () => void close())
