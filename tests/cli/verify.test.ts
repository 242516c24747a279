import { randomUUID } from 'node:crypto'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openSqliteEventStore } from '../../adapters/sqlite-event-store.ts'
import type { Verification } from '../../app/verify/verification.ts'
import type { NewEvent } from '../../events/event-store.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'
import { temporaryFolder } from '../temporary-folder.ts'
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

  it('names the document that differs, with both sides', async () => {
    const data = copyOf('document')
    await changeAccount(data, '"balance":"1200"', '"balance":"1201"')
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
      transaction('ann', '999999'),
      'insufficient-funds',
    ],
    ['a transaction twice', 'unique-id', transaction('bank', '1', 't-0'), 'the transaction t-0'],
    [
      'an event that is not canonical',
      'canonical',
      { ...transaction('bank', '1'), data: ` ${transaction('bank', '1').data}` },
      'its data is not canonical',
    ],
    [
      'a part of a command',
      'lawful',
      transaction('bank', '1', 'half', { count: 2 }),
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
      await append(data, { ...transaction('bank', '1'), ...event })
      const { exitCode, listed } = await verify(data)
      expect(exitCode).equal(1)
      const found = listed.find((one) => one.check === check)
      expect(found?.detail).contain(detail)
      expect(found?.at).equal('ledger-main@24')
    })
  }

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

function transaction(
  from: string,
  amount: string,
  id = 'late',
  command: { readonly count?: number } = {},
): NewEvent {
  const recordedAt = '2099-01-01T00:00:00.000Z'
  const postings = [{ from, to: 'bob', asset: 'CZK/2', amount }]
  const hash = `sha256:${'A'.repeat(43)}`
  return {
    id: randomUUID(),
    type: 'TransactionPosted',
    data: canonicalJson({ effectiveAt: recordedAt, id, postings }),
    metadata: canonicalJson({
      command: {
        caller: 'anonymous',
        count: 1,
        hash,
        index: 0,
        type: 'PostTransaction',
        ...command,
      },
      recordedAt,
      schemaVersion: 1,
    }),
  }
}

async function append(data: string, event: NewEvent): Promise<void> {
  const store = await openSqliteEventStore({ path: join(data, 'events.db') })
  await store.append('ledger-main', 23n, [event])
  await store.close()
}

async function changeAccount(data: string, from: string, to: string): Promise<void> {
  const folder = join(data, 'read-models')
  const file = readdirSync(folder).find((name) => /^accounts.*\.db$/.test(name)) ?? ''
  const db = new DatabaseSync(join(folder, file))
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  for (const { name } of tables) {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${name}')`).all()
    if (!String(name).includes('accounts') || !columns.some((one) => one.name === 'body')) continue
    db.prepare(`UPDATE "${name}" SET body = replace(body, ?, ?) WHERE body LIKE '%"ann"%'`).run(
      from,
      to,
    )
  }
  db.close()
}
