import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Verification } from '../../app/verify/verification.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { changeAccount } from './change-account.ts'
import { startedServers } from './serving-process.ts'
import { ended, evident, feed, startCli } from './terminal-under-test.ts'

describe('evident verify --url', () => {
  const folder = temporaryFolder()
  const servers = startedServers()
  afterEach(servers.killAll)

  async function serve(name: string) {
    const data = join(folder, name)
    const server = await servers.start(data)
    await feed(server.url, 200)
    return { data, ...server }
  }

  /** One transaction more. @returns whether it was accepted and can be read */
  async function move(url: string, number: number): Promise<boolean> {
    const posted = await fetch(new URL('/ledgers/main/transactions', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: `more-${number}`,
        postings: [{ from: 'bank', to: 'bob', asset: 'CZK/2', amount: '1' }],
      }),
    })
    const { revision } = (await posted.json()) as { readonly revision: string }
    const path = `/ledgers/main/accounts/bob?min-revision=${revision}`
    return posted.status === 201 && (await fetch(new URL(path, url))).status === 200
  }

  it('verifies up to one position, while commands and reads go on', async () => {
    const { url } = await serve('busy')
    const verifying = evident('verify', '--url', url, '--json')
    let isVerifying = true
    void verifying.finally(() => {
      isVerifying = false
    })
    let moved = 0
    while (isVerifying) {
      expect(await move(url, moved), `move ${moved}`).equal(true)
      moved += 1
    }
    const { exitCode, out } = await verifying
    const { listed, events, position, streams } = JSON.parse(out) as Verification
    expect(listed).deep.equal([])
    expect(exitCode).equal(0)
    expect(streams).deep.equal({ ledger: 1 })
    const logged = 1 + 4 + 200
    expect(events).within(logged, logged + moved - 1) // some came after it had begun
    expect(Number(position)).equal(events)
  })

  it('prints the same of the same log, served or not', async () => {
    const { data, url, child, exitCode } = await serve('same')
    const served = await evident('verify', '--url', url)
    child.kill('SIGTERM')
    await exitCode
    const unserved = await evident('verify', '--data', data)
    // A snapshot is written when a server stops.
    const comparable = (text: string) =>
      text.replace(/in [0-9.]+ s/, '').replace(/\d snapshots?/, '')
    expect(comparable(served.out)).equal(comparable(unserved.out))
    expect(served.out).match(/^The log \S+ is whole up to position 0000000000000205: 205 events/)
  })

  it('ends with 1 and both sides where a live document differs', async () => {
    const { data, url } = await serve('differs')
    await fetch(new URL('/ledgers/main/accounts/ann?min-revision=203', url)) // now it is projected
    changeAccount(data, '"balance":"12000"', '"balance":"12001"')
    const { exitCode, out } = await evident('verify', '--url', url, '--json')
    const { listed } = JSON.parse(out) as Verification
    expect(exitCode).equal(1)
    expect(listed.map(({ check }) => check)).deep.equal(['read-model', 'balance'])
    expect(listed[0]?.at).equal('accounts-v1.1 accounts/ledger-main/ann')
    expect(listed[0]?.detail).contain('"balance":"12001"').and.contain('"balance":"12000"')
    expect(listed[1]?.detail).contain('the balance is 12001, the log makes 12000')
  })

  it('is one at a time, and is ended by whoever began it', async () => {
    const { data, url } = await serve('twice')
    const first = startCli(['verify', '--url', url])
    await eventually(() => existsSync(join(data, 'verify')), 'it verifies')
    const second = await evident('verify', '--url', url)
    expect(second.exitCode).equal(69)
    expect(second.err).contain('verification-running')
    first.stop()
    expect(await ended(first)).deep.include({
      ...{ exitCode: 75, out: '' },
      err: 'evident: The verification was ended before its end.\n',
    })
    expect(existsSync(join(data, 'verify'))).equal(false)
    expect(await evident('verify', '--url', url)).include({ exitCode: 0 })
  })

  it('does not keep a server from stopping, and leaves nothing behind', async () => {
    const { data, url, child, exitCode } = await serve('stops')
    await fetch(new URL('/verifications', url), { method: 'POST' })
    await eventually(() => existsSync(join(data, 'verify')), 'it verifies')
    child.kill('SIGTERM')
    expect(await exitCode).equal(0)
    expect(existsSync(join(data, 'verify'))).equal(false)
  })

  it('lets the threads that serve go first, where the system can', async function () {
    if (process.platform !== 'linux') this.skip()
    const { url, child } = await serve('behind')
    const tasks = `/proc/${child.pid}/task`
    const niceOf = (task: string): number => {
      const path = join(tasks, task, 'stat')
      const stat = existsSync(path) ? readFileSync(path, 'utf8') : ''
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
    }
    await fetch(new URL('/verifications', url), { method: 'POST' })
    await eventually(() => readdirSync(tasks).some((task) => niceOf(task) > 0), 'one is behind')
    expect(niceOf(String(child.pid))).equal(0)
  })

  it('takes up no room after its server was killed and started again', async () => {
    const { data, url, child, exitCode } = await serve('killed')
    await fetch(new URL('/verifications', url), { method: 'POST' })
    await eventually(() => existsSync(join(data, 'verify')), 'it verifies')
    child.kill('SIGKILL')
    await exitCode
    const again = await servers.start(data)
    expect(existsSync(join(data, 'verify'))).equal(false)
    expect(await evident('verify', '--url', again.url)).include({ exitCode: 0 })
  })

  it('tells what became of a verification by its id', async () => {
    const { url } = await serve('told')
    const of = async (path: string, method = 'GET') => {
      const answer = await fetch(new URL(path, url), { method })
      const { headers, status } = answer
      const body = (await answer.json()) as Readonly<Record<string, unknown>>
      return { status, location: headers.get('location') ?? '', body }
    }
    const { status, location, body } = await of('/verifications', 'POST')
    expect(status).equal(202)
    expect(location).equal(`/verifications/${body.verification}`)
    await eventually(async () => (await of(location)).body.state === 'done', 'it is verified')
    expect((await of(location)).body).nested.include({ 'result.findings': 0, 'result.events': 205 })
    expect((await of(location, 'DELETE')).body.state).equal('done')
    expect((await of('/verifications/another')).body).include({ code: 'verification-not-found' })
  })
})
