import { open, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { openFileIdIndex } from '../../command-service/file-id-index.ts'
import { type Fingerprint, fingerprintOf } from '../../command-service/fingerprint.ts'
import type { IdIndex } from '../../command-service/id-index.ts'
import { idsPerSegment } from '../../command-service/id-segment.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const fingerprint = (n: number): Fingerprint =>
  fingerprintOf('ledger-demo', { namespace: 'transaction', id: `t${n}` })

const count = 6.5 * idsPerSegment // more full segments than stay in memory, and one that grows

const last = { id: 'of-the-last', revision: BigInt(count - 1) }

describe('id index (decision 9)', () => {
  const folder = temporaryFolder()
  const openIndex = (logId = 'log-1'): Promise<IdIndex> => openFileIdIndex({ folder, logId })
  const sample = [0, 1, 1_000, idsPerSegment - 1, idsPerSegment, 3 * idsPerSegment + 7, count - 1]
  const find = (index: IdIndex, ids: readonly number[]) => index.find(ids.map(fingerprint))

  before(async function () {
    this.timeout(60_000)
    const index = await openIndex()
    for (let n = 0; n < count; n += 1) index.add(fingerprint(n), BigInt(n))
    index.add(fingerprint(1_000), 999_999n) // a later event about an old id
    index.cover('ledger-demo', last)
    await index.save()
    await index.close()
  })

  const expected = sample.map((n) => (n === 1_000 ? 999_999n : BigInt(n)))

  it('finds every id, and the latest revision of each, from memory and from files', async () => {
    const index = await openIndex()
    expect(await find(index, sample)).deep.equal(expected)
    expect(index.coveredTo('ledger-demo')).deep.equal(last)
    expect(index.coveredTo('ledger-other')).equal(undefined)
  })

  it('finds nothing that was not added', async () => {
    const index = await openIndex()
    const strangers = Array.from({ length: 2_000 }, (_, n) => count + n)
    expect((await find(index, strangers)).every((found) => found === undefined)).equal(true)
  })

  it('goes on growing after it was opened again', async () => {
    const index = await openIndex()
    index.add(fingerprint(count), 7_000_000n)
    expect(await find(index, [count, 5])).deep.equal([7_000_000n, 5n])
  })

  it('names a file that was changed while it is in use', async () => {
    const index = await openIndex()
    const path = join(folder, 'ids-000000')
    const file = await open(path, 'r+')
    const before = Buffer.alloc(100)
    const at = 4_096 * 100
    await file.read(before, 0, 100, at)
    await file.write(Buffer.alloc(100, 0xaa), 0, 100, at)
    try {
      const all = Array.from({ length: 2_000 }, (_, n) => n)
      const error = await find(index, all).then(
        () => undefined,
        (caught: unknown) => caught,
      )
      expect(error).include({ code: 'DAMAGED_ID_INDEX' })
    } finally {
      await file.write(before, 0, 100, at)
      await file.close()
    }
  })

  it('throws all away that is of another log, cut, or not complete, and starts anew', async () => {
    const names = (await readdir(folder)).sort()
    expect(names.length).equal(7)
    await truncate(join(folder, names.at(3) ?? ''), 1_000)
    const cut = await openIndex()
    expect(await find(cut, sample)).deep.equal(sample.map(() => undefined))
    expect(cut.coveredTo('ledger-demo')).equal(undefined)

    for (let n = 0; n < 2 * idsPerSegment; n += 1) cut.add(fingerprint(n), BigInt(n))
    await cut.save()
    await eventually(async () => (await readdir(folder)).length === 2, 'both files are there')
    const other = await openIndex('log-2')
    expect(await find(other, [1])).deep.equal([undefined])
    await rm(folder, { recursive: true })
  })
})
