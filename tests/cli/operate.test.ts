import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryFolder } from '../temporary-folder.ts'
import { evident, feed, serveFolder } from './terminal-under-test.ts'

describe('commands on a running server and on its folder', () => {
  const data = join(temporaryFolder(), 'data')
  let server: Awaited<ReturnType<typeof serveFolder>>
  before(async () => {
    server = await serveFolder(data)
    await feed(server.url, 50)
  })

  let printedByServer = ''

  it('replays the log from a server', async () => {
    const { exitCode, out } = await evident('replay', '--url', server.url)
    printedByServer = out
    const events = lines(out)
    expect(exitCode).equal(0)
    expect(events).length(1 + 4 + 50)
    expect(events[0]).include({ type: 'LogStarted', stream: 'log-identity', revision: '0' })
  })

  it('filters by stream, type and position, and stops at the limit', async () => {
    const of = ['replay', '--url', server.url, '--stream', 'ledger-main']
    const typed = lines((await evident(...of, '--type', 'AccountOpened')).out)
    expect(typed.map(({ revision }) => revision)).deep.equal(['1', '2', '3'])
    const after = String(typed[1]?.position)
    const rest = lines((await evident(...of, '--after', after, '--limit', '2')).out)
    expect(rest.map(({ revision }) => revision)).deep.equal(['3', '4'])
    const short = ['--after', String(Number(after)), '--limit', '2'] // without its leading zeros
    expect(lines((await evident(...of, ...short)).out)).deep.equal(rest)
  })

  it('folds the log to balances', async () => {
    const folded = lines((await evident('replay', '--url', server.url, '--fold')).out)
    expect(folded).deep.include({
      ...{ ledger: 'main', account: 'ann', revision: '53' },
      balances: { 'CZK/2': '3000' },
    })
  })

  it('rebuilds a read model while it is served', async () => {
    const { exitCode, out } = await evident('rebuild', 'accounts', '--url', server.url, '--json')
    expect(exitCode).equal(0)
    expect(lines(out)[0]).include({ projection: 'accounts' })
    const { out: status } = await evident('status', '--url', server.url, '--json')
    expect(status).contain('accounts-v1.2')
    const read = await fetch(new URL('/ledgers/main/accounts/ann', server.url))
    expect(await read.json()).nested.property('balances.CZK/2.balance', '3000')
  })

  it('finds nothing parked, and does not retry what is not there', async () => {
    expect(await evident('parked', 'list', '--url', server.url)).include({ exitCode: 0 })
    const retried = await evident('parked', 'retry', 'accounts', 'ledger-x', '--url', server.url)
    expect(retried.exitCode).equal(2)
    expect(retried.err).contain('ledger-x is not parked')
  })

  it('says that a projection does not exist', async () => {
    const { exitCode, err } = await evident('rebuild', 'nothing', '--url', server.url)
    expect(exitCode).equal(2)
    expect(err).match(/no projection nothing: there are ledgers, accounts, transactions/)
  })

  it('says that no server answers', async () => {
    const { exitCode, err } = await evident('status', '--url', 'http://127.0.0.1:9')
    expect(exitCode).equal(69)
    expect(err).contain('No Evident answers')
  })

  it('says that it is another server that answers', async () => {
    const other = createServer((_, response) => response.end('<!doctype html>'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const { exitCode, err } = await evident('status', '--url', url)
    other.close()
    expect(exitCode).equal(69)
    expect(err).equal(`evident: ${url} answered 200, as no Evident does: check --url\n`)
  })

  it('works the same on the folder when nobody serves it', async () => {
    await server.stop()
    expect((await evident('replay', '--data', data)).out).equal(printedByServer)
    expect(await evident('rebuild', 'ledgers', '--data', data)).include({ exitCode: 0 })
    const after = ['--stream', 'ledger-main', '--after', '4']
    expect(lines((await evident('replay', '--data', data, ...after)).out)[0]).include({
      ...{ position: '0000000000000005', revision: '3' },
    })
    const { exitCode, out } = await evident('status', '--data', data)
    expect(exitCode).equal(0)
    expect(out).match(/ledgers-v1\.2.*level, not served/)
    expect(await evident('doctor', '--data', data, '--port', '0')).include({ exitCode: 0 })
  })

  it('makes nothing where there is no log', async () => {
    const { exitCode, err } = await evident('replay', '--data', join(data, 'elsewhere'))
    expect(exitCode).equal(74)
    expect(err).contain('There is no log')
  })
})

const lines = (text: string): readonly Readonly<Record<string, unknown>>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
