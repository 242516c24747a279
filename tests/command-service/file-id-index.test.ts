import { mkdir, open, readdir, rename, rm, rmdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { openFileIdIndex } from '../../command-service/file-id-index.ts'
import { type Fingerprint, fingerprintOf } from '../../command-service/fingerprint.ts'
import type { IdIndex } from '../../command-service/id-index.ts'
import { idsPerSegment } from '../../command-service/id-segment.ts'
import { eventually, failureOf } from '../eventually.ts'
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

  it('names a file that is gone while it is in use', async () => {
    const index = await openIndex()
    const path = join(folder, 'ids-000000')
    await rename(path, `${path}.elsewhere`)
    try {
      expect(await failureOf(find(index, [0]))).include({ code: 'DAMAGED_ID_INDEX' })
    } finally {
      await rename(`${path}.elsewhere`, path)
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

describe('id index: files that cannot be written', () => {
  const root = temporaryFolder()
  const stream = 'ledger-demo'

  /** An index whose next files can be made impossible to write, by what is in their way. */
  async function openCase(name: string) {
    const folder = join(root, name)
    const index = await openFileIdIndex({ folder, logId: 'log-1' })
    const blocked = (number: number) => join(folder, `ids-00000${number}.new`)
    let next = 0
    return {
      index,
      block: (number: number) => mkdir(blocked(number)),
      unblock: (number: number) => rmdir(blocked(number)),
      addTo(end: number): void {
        for (; next < end; next += 1) {
          index.add(fingerprint(next), BigInt(next))
          index.cover(stream, { id: `e${next}`, revision: BigInt(next) })
        }
      },
      /** Opened again as after a kill: up to where it is covered, and what a sample of it lacks. */
      async reopen() {
        await index.close()
        const again = await openFileIdIndex({ folder, logId: 'log-1' })
        const to = again.coveredTo(stream)?.revision
        const covered = Number(to ?? -1n) + 1
        const sample = Array.from({ length: covered }, (_, n) => n).filter(
          (n) => n % 97 === 0 || n >= covered - 20,
        )
        const found = await again.find(sample.map(fingerprint))
        return { to, lacks: sample.filter((n, place) => found[place] !== BigInt(n)) }
      },
    }
  }

  it('a full one that is written late covers what it covered when it was full', async () => {
    const { index, block, unblock, addTo, reopen } = await openCase('late')
    await block(0)
    addTo(idsPerSegment + 10)
    await index.close() // its first write has failed
    await unblock(0)
    await block(1)
    expect(await failureOf(index.save())).include({ code: 'EISDIR' })
    expect(await reopen()).deep.equal({ to: BigInt(idsPerSegment - 1), lacks: [] })
  })

  it('one in flight is waited for, and the next files hold the rest', async () => {
    const { index, addTo, reopen } = await openCase('in-flight')
    addTo(idsPerSegment + 10)
    await index.save()
    expect(await reopen()).deep.equal({ to: BigInt(idsPerSegment + 9), lacks: [] })
  })

  it('none is written before those that came before it', async () => {
    const { index, block, addTo, reopen } = await openCase('in-order')
    addTo(10)
    await index.save()
    await block(0)
    addTo(2 * idsPerSegment + 10)
    expect(await reopen()).deep.equal({ to: 9n, lacks: [] })
  })

  it('what is not covered any more stays so, whatever older files say', async () => {
    const { index, addTo, reopen } = await openCase('uncovered')
    addTo(idsPerSegment + 10)
    await index.save()
    index.uncover(stream)
    await index.save()
    expect(await reopen()).deep.equal({ to: undefined, lacks: [] })
  })
})
