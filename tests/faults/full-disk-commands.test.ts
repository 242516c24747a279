import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { feed } from '../cli/terminal-under-test.ts'
import { type ServerProcess, startServer } from '../crash/server-process.ts'
import { startEvident } from '../import/evident-process.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

const diskBytes = 100_000_000
const transactions = 3_000

describe('commands and starts on a full disk (C-19)', function () {
  this.timeout(60_000)
  let disk: SmallDisk
  let folder: string
  let server: ServerProcess | undefined

  beforeEach(async function () {
    const mounted = mountSmallDisk(diskBytes)
    if (!mounted) this.skip() // mounting needs rights that this user has not
    disk = mounted
    folder = join(disk.path, 'data')
    server = await startServer(folder).serving
    await feed(server.url, transactions)
  })
  afterEach(async () => {
    server?.signal('SIGKILL')
    await server?.ended
    disk?.remove()
  })

  const filler = () => join(disk.path, 'filler')
  const makeRoom = () => rmSync(filler())
  function fillUp(): void {
    const file = openSync(filler(), 'w')
    try {
      for (;;) writeSync(file, Buffer.alloc(4_096))
    } catch (error) {
      expect(error).include({ code: 'ENOSPC' })
    } finally {
      closeSync(file)
    }
  }

  async function stop(signal: NodeJS.Signals): Promise<void> {
    server?.signal(signal)
    await server?.ended
  }

  /** Runs to its end: what it said, and with what code. */
  async function evident(...args: readonly string[]) {
    const run = startEvident(args)
    const exitCode = await run.exitCode
    return { exitCode, err: run.err().trim() }
  }

  const isWhole = async () =>
    expect(await evident('verify', '--data', folder)).include({ exitCode: 0 })

  async function balance({ url }: ServerProcess): Promise<string | undefined> {
    const response = await fetch(
      `${url}/ledgers/main/accounts/bob?min-revision=${transactions + 3}`,
      { headers: { prefer: 'wait=5' } },
    )
    const { balances } = (await response.json()) as Record<string, Record<string, unknown>>
    return JSON.stringify(balances?.['CZK/2']).match(/"balance":"(\d+)"/)?.[1]
  }
  const expectedBalance = String(transactions * 40)

  it('a rebuild says why it ends, and does its work when there is room', async () => {
    await stop('SIGTERM')
    fillUp()
    const refused = await evident('rebuild', 'accounts', '--data', folder)
    expect(refused.err).match(/full/)
    expect(refused.err.split('\n')).length(1)
    expect(refused.exitCode).equal(74)
    makeRoom()
    expect(await evident('rebuild', 'accounts', '--data', folder)).include({ exitCode: 0 })
    await isWhole()
  })

  it('a rebuild on a server fails alone: reads and the live build go on', async () => {
    if (!server) throw new Error('it does not serve')
    expect(await balance(server)).equal(expectedBalance)
    fillUp()
    const refused = await evident('rebuild', 'accounts', '--url', server.url)
    expect(refused.err).match(/full/)
    expect(refused.err.split('\n')).length(1)
    expect(refused.exitCode).equal(1)
    expect(await balance(server)).equal(expectedBalance)
    makeRoom()
    expect(await evident('rebuild', 'accounts', '--url', server.url)).include({ exitCode: 0 })
    expect(await balance(server)).equal(expectedBalance)
    await stop('SIGTERM')
    await isWhole()
  })

  it('a start is refused, and leaves nothing in the way of the next', async () => {
    await stop('SIGKILL')
    fillUp()
    const other = join(disk.path, 'other')
    for (const data of [folder, other]) {
      const refused = await evident('serve', '--data', data, '--port', '0')
      expect(refused.err).match(/full/)
      expect(refused.err.split('\n')).length(1)
      expect(refused.exitCode).equal(74)
    }
    makeRoom()
    server = await startServer(folder).serving
    expect(await balance(server)).equal(expectedBalance)
    await stop('SIGTERM')
    await isWhole()
    server = await startServer(other).serving
    await stop('SIGTERM')
  })
})
