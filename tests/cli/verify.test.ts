import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import type { Verification } from '../../app/verify/verification.ts'
import type { NewEvent } from '../../events/event-store.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { changeAccount } from './change-account.ts'
import { appendTo, recordedTransaction } from './recorded-transaction.ts'
import { evident, feed, serveFolder } from './terminal-under-test.ts'

describe('evident verify', () => {
  const folder = temporaryFolder()
  const sound = join(folder, 'sound')
  before(async () => {
    const { url, stop } = await serveFolder(sound)
    await feed(url, 20)
    await fetch(new URL('/ledgers/main/accounts/ann?min-revision=23', url)) // now it is projected
    await stop()
  })

  const copyOf = (name: string): string => {
    const copy = join(folder, name)
    cpSync(sound, copy, { recursive: true })
    return copy
  }

  async function verify(data: string): Promise<Verification & { readonly exitCode: number }> {
    const { exitCode, out, err } = await evident('verify', '--data', data, '--json')
    if (out === '') throw new Error(err)
    return { ...(JSON.parse(out) as Verification), exitCode }
  }

  it('finds nothing in a sound folder, snapshots included', async () => {
    const verification = await verify(sound)
    expect(verification).include({ exitCode: 0, findings: 0, events: 25, snapshots: 1 })
  })

  it('checks the log alone where there is no read model yet, which is no damage', async () => {
    const data = copyOf('never-served')
    rmSync(join(data, 'read-models'), { recursive: true })
    const unbuilt = ['ledgers-v1', 'accounts-v1', 'transactions-v1']
    expect(await verify(data)).deep.include({ exitCode: 0, findings: 0, events: 25, unbuilt })
    const { out } = await evident('verify', '--data', data)
    expect(out).contain('is whole up to position')
    expect(out).contain('there is no read model yet of ledgers-v1, accounts-v1, transactions-v1,')
    await appendTo(data, recordedTransaction({ from: 'ann', amount: '999999' }))
    expect(await verify(data)).include({ exitCode: 1 })
  })

  it('finds read models of another past than the log’s, each once', async () => {
    const data = copyOf('another-past')
    const { stop } = await serveFolder(data)
    await stop()
    const own = readFileSync(join(data, 'events.db'))
    await appendTo(data, recordedTransaction({ from: 'bank', amount: '1' }))
    await (await serveFolder(data)).stop() // level with it, and then it is lost
    writeFileSync(join(data, 'events.db'), own)
    const { exitCode, listed } = await verify(data)
    expect(exitCode).equal(1)
    expect(listed.map(({ check, at }) => `${check} ${at}`)).deep.equal(
      ['ledgers', 'accounts', 'transactions'].map((name) => `read-model ${name}-v1.1`),
    )
    expect(listed[0]?.detail).match(/^built of ledger-main@24 .* the log does not have/)
  })

  it('changes nothing', async () => {
    const data = copyOf('unchanged')
    await verify(data) // SQLite's own files beside the databases are there from now on
    const before = digestOf(data)
    await verify(data)
    expect(digestOf(data)).deep.equal(before)
  })

  it('brings what is behind level in its copies, not in the folder', async () => {
    const data = copyOf('behind')
    await appendTo(data, recordedTransaction({ from: 'bank', amount: '1' }))
    const before = digestOf(data)
    expect(await verify(data)).include({ exitCode: 0, findings: 0, events: 26 })
    expect(digestOf(data)).deep.equal(before)
  })

  it('names the document that differs, with both sides', async () => {
    const data = copyOf('document')
    changeAccount(data, '"balance":"1200"', '"balance":"1201"')
    const { exitCode, listed } = await verify(data)
    expect(exitCode).equal(1)
    expect(listed.map(({ check }) => check)).include.members(['read-model', 'balance'])
    const [found] = listed
    expect(found?.at).match(/accounts\/ledger-main\/ann$/)
    expect(found?.detail).contain('"balance":"1201"').and.contain('"balance":"1200"')
  })

  const unlawful: readonly (readonly [string, string, Partial<NewEvent>, string])[] = [
    [
      'an overdraft that the rules refuse',
      'lawful',
      recordedTransaction({ from: 'ann', amount: '999999' }),
      'insufficient-funds',
    ],
    [
      'a transaction twice',
      'unique-id',
      recordedTransaction({ from: 'bank', amount: '1', id: 't-0' }),
      'the transaction t-0',
    ],
    [
      'an event that is not canonical',
      'canonical',
      { data: ` ${recordedTransaction({ from: 'bank', amount: '1' }).data}` },
      'its data is not canonical',
    ],
    [
      'a part of a command',
      'lawful',
      recordedTransaction({ from: 'bank', amount: '1', id: 'half', count: 2 }),
      'only partly there',
    ],
    [
      'a command that says it was another',
      'lawful',
      { type: 'AccountOpened', data: '{"account":"x"}' },
      'no command PostTransaction makes',
    ],
  ]
  for (const [what, check, event, detail] of unlawful) {
    it(`finds ${what}`, async () => {
      const data = copyOf(what.replaceAll(' ', '-'))
      await appendTo(data, { ...recordedTransaction({ from: 'bank', amount: '1' }), ...event })
      const { exitCode, listed } = await verify(data)
      expect(exitCode).equal(1)
      const found = listed.find((one) => one.check === check)
      expect(found?.detail).contain(detail)
      expect(found?.at).equal('ledger-main@24')
    })
  }

  it('finds a snapshot that is not what its events come to', async () => {
    const data = copyOf('snapshot')
    const path = join(data, 'snapshots', 'ledger-main.snapshot')
    const content = readFileSync(path, 'utf8').replace('"1200"', '"1201"')
    const body = content.slice(0, content.lastIndexOf('"end",'))
    writeFileSync(path, `${body}"end",${crc32(body)}\n`)
    const { exitCode, listed } = await verify(data)
    expect(exitCode).equal(1)
    expect(listed.map(({ check, at }) => `${check} ${at}`)).deep.equal(['snapshot ledger-main'])
    expect(listed[0]?.detail)
      .match(/^snapshot at 23 and tail: ann is .*"CZK\/2":"1201"/)
      .and.match(/all events make .*"CZK\/2":"1200"/)
  })

  it('finds a damaged read model, and compares the others', async () => {
    const data = copyOf('damaged')
    const path = join(data, 'read-models', 'ledgers-v1.1.db')
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xff, 4_096, 8_192))
    changeAccount(data, '"balance":"1200"', '"balance":"1201"')
    const { exitCode, listed } = await verify(data)
    expect(exitCode).equal(1)
    expect(listed[0]).include({ check: 'integrity', at: path })
    expect(listed.at(-1)?.check).equal('balance')
  })

  it('finds a changed byte in the log, and names its place', async () => {
    const data = copyOf('byte')
    const db = new DatabaseSync(join(data, 'events.db'))
    db.exec('DROP TRIGGER events_keep')
    db.exec('UPDATE events SET data = replace(data, \'"100"\', \'"900"\') WHERE revision = 7')
    db.close()
    const { exitCode, listed } = await verify(data)
    expect(exitCode).equal(1)
    expect(listed[0]).include({ check: 'readable' })
    expect(listed[0]?.detail).contain('ledger-main@7')
  })
})

/** Of each file's bytes, by its name. */
const digestOf = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/-(shm|wal|journal)$/.test(entry.name))
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name)
        return [path, createHash('sha256').update(readFileSync(path)).digest('hex')]
      }),
  )
