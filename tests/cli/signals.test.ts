import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { temporaryFolder } from '../temporary-folder.ts'
import { startedServers } from './serving-process.ts'

describe('signals to evident serve', () => {
  const folder = temporaryFolder()
  const servers = startedServers()
  afterEach(servers.killAll)

  async function serve(name: string) {
    const data = join(folder, name)
    const { child, exitCode, url } = await servers.start(data)
    return { data, child, exitCode, url: new URL(url) }
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} stops it gracefully`, async () => {
      const { data, child, exitCode } = await serve(signal)
      child.kill(signal)
      expect(await exitCode).equal(0)
      expect(existsSync(join(data, 'running.json'))).equal(false)
    })
  }

  it('a second one ends it at once, also while a request is under way', async () => {
    const { child, exitCode, url } = await serve('twice')
    const socket = connect(Number(url.port), url.hostname)
    socket.on('error', () => undefined) // it is cut
    const head =
      'POST /ledgers/main/commands HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n'
    socket.write(`${head}Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n`)
    await new Promise((resolve) => socket.once('data', resolve)) // it waits for the body
    child.kill('SIGTERM')
    await pause(500) // what comes sooner counts as the same key
    expect(child.exitCode).equal(null)
    child.kill('SIGTERM')
    expect(await exitCode).equal(143)
    socket.destroy()
  })
})
