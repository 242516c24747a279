import { expect } from 'chai'
import type { CollectionDeclaration } from '../../projections/projection.ts'
import {
  type Build,
  type Changes,
  maxExamined,
  type PageKey,
  type Query,
  type ReadModelStore,
  UndeclaredQuery,
} from '../../projections/read-model-store.ts'

/** How a store under test is opened; `reopen` closes it and opens it again on the same data. */
export interface ReadModelStoreUnderTest {
  readonly store: ReadModelStore
  /** Another opening of the same data, as another thread has it; it only reads. */
  openReader(): Promise<ReadModelStore>
  reopen(): Promise<ReadModelStore>
}

const people: CollectionDeclaration = {
  name: 'people',
  isFinal: false,
  indexes: [
    { name: 'by-town', fields: ['land', 'town'] },
    { name: 'by-age', fields: ['land', 'age'] },
    { name: 'by-tag', fields: ['land', 'tag'], manyOf: 'tag' },
  ],
  keys: ({ land, town, age, tags }) => ({
    land: land as string,
    town: town as string,
    age: age as number,
    tag: tags as string[],
  }),
}
const lines: CollectionDeclaration = {
  name: 'lines',
  isFinal: true,
  indexes: [
    { name: 'by-word', fields: ['word', 'revision'], manyOf: 'word', grows: true },
    { name: 'by-size', fields: ['page', 'size', 'revision'], grows: true },
  ],
  keys: ({ words, page, size, revision }) => ({
    ...{ word: words as string[], page: page as string, size: size as number },
    revision: revision as number,
  }),
}
const collections = [people, lines]

const nothing: Changes = { finals: [], documents: [], parked: [], unparked: [], progress: [] }

const person = (id: string, revision: number, body: Record<string, unknown> = {}) => ({
  collection: 'people',
  id,
  revision: BigInt(revision),
  body: { land: 'cz', town: 'brno', age: 30, tags: [], ...body },
})
const line = (id: string, body: Record<string, unknown>, revision = 1) => ({
  collection: 'lines',
  id,
  revision: BigInt(revision),
  body: { words: [], revision, ...body },
})

const inAll = (query: Partial<Query>): Query => ({
  ...{ collection: 'people', index: 'id', equals: [], limit: 100 },
  ...query,
})

async function idsOf(build: Build, query: Partial<Query>): Promise<string[]> {
  return (await build.find(inAll(query))).documents.map(({ id }) => id)
}

/** Goes through all pages of a query. */
async function allPages(
  build: Build,
  query: Partial<Query>,
  between: () => Promise<unknown> = async () => {},
): Promise<string[]> {
  const ids: string[] = []
  let after: PageKey | undefined
  do {
    const page = await build.find(inAll({ ...query, ...(after ? { after } : {}) }))
    ids.push(...page.documents.map(({ id }) => id))
    after = page.next
    await between()
  } while (after)
  return ids
}

/** What every adapter of the port does. */
export function readModelStoreContract(open: () => Promise<ReadModelStoreUnderTest>): void {
  let tested: ReadModelStoreUnderTest
  let store: ReadModelStore
  let build: Build

  beforeEach(async () => {
    tested = await open()
    store = tested.store
    build = await store.openBuild('people-v1.1', collections)
  })
  afterEach(() => store.close())

  const write = (changes: Partial<Changes>) => build.write({ ...nothing, ...changes })

  describe('documents', () => {
    it('are returned as the JSON that was written, in the order of the ids asked for', async () => {
      await write({ documents: [person('a', 3), person('b', 4, { age: 5 })] })
      const [b, missing, a] = await build.get('people', ['b', 'x', 'a'])
      expect(missing).to.equal(undefined)
      expect(a?.revision).to.equal(3n)
      expect(b).to.deep.equal({
        ...{ id: 'b', revision: 4n },
        body: '{"land":"cz","town":"brno","age":5,"tags":[]}',
      })
    })

    it('refuse a late or repeated writer and say which', async () => {
      await write({ documents: [person('a', 5, { town: 'praha' }), person('b', 5)] })
      const refused = await write({
        documents: [person('a', 4), person('b', 5, { age: 1 }), person('c', 1)],
      })
      expect(refused.map(({ id }) => id)).to.deep.equal(['a', 'b'])
      expect(refused.map(({ collection }) => collection)).to.deep.equal(['people', 'people'])
      const [a, b, c] = await build.get('people', ['a', 'b', 'c'])
      expect(a?.body).to.contain('praha')
      expect(b?.body).to.contain('"age":30')
      expect(c?.revision).to.equal(1n)
    })

    it('that are final stay as they were first written', async () => {
      await write({ finals: [line('l1', { text: 'first' })] })
      await write({ finals: [line('l1', { text: 'second' }), line('l2', { text: 'other' })] })
      const bodies = (await build.get('lines', ['l1', 'l2'])).map((one) => one?.body)
      expect(bodies).to.deep.equal([
        '{"words":[],"revision":1,"text":"first"}',
        '{"words":[],"revision":1,"text":"other"}',
      ])
    })

    it('keep unicode and 38-digit amounts byte for byte', async () => {
      const body = { amount: '9'.repeat(38), text: 'žluť \u0001 🦊 \\ " \u2028', tags: ['🦊=ž'] }
      await write({ documents: [person('ledger-a/ž🦊', 1, body)] })
      const [stored] = await build.get('people', ['ledger-a/ž🦊'])
      expect(stored?.body).to.equal(JSON.stringify(person('x', 1, body).body))
    })

    it('of another collection or build are not mixed up', async () => {
      const other = await store.openBuild('people-v1.2', collections)
      await write({ documents: [person('a', 1)], finals: [line('a', {})] })
      expect(await other.get('people', ['a'])).to.deep.equal([undefined])
      expect((await build.get('lines', ['a']))[0]?.body).to.equal('{"words":[],"revision":1}')
    })
  })

  describe('pages', () => {
    const towns = ['brno', 'brno', 'olomouc', 'praha', 'zlín']
    beforeEach(() =>
      write({
        documents: [
          ...towns.map((town, place) => person(`p${place}`, 1, { town, age: 10 * place })),
          person('q1', 1, { land: 'sk', town: 'nitra', age: 7 }),
        ],
      }),
    )

    it('are in the order of ids without an index, in both directions', async () => {
      const ids = ['p0', 'p1', 'p2', 'p3', 'p4', 'q1']
      expect(await allPages(build, { limit: 4 })).to.deep.equal(ids)
      expect(await allPages(build, { limit: 4, direction: 'backward' })).to.deep.equal(
        ids.toReversed(),
      )
    })

    it('follow an index, documents with equal fields by id', async () => {
      const query = { index: 'by-town', equals: ['cz'], limit: 1 }
      expect(await allPages(build, query)).to.deep.equal(['p0', 'p1', 'p2', 'p3', 'p4'])
      expect(await allPages(build, { ...query, direction: 'backward' })).to.deep.equal([
        'p4',
        'p3',
        'p2',
        'p1',
        'p0',
      ])
    })

    it('end without `next` where there is nothing more', async () => {
      const page = await build.find(inAll({ limit: 6 }))
      expect(page.documents).to.have.length(6)
      expect(page.next).to.equal(undefined)
      expect((await build.find(inAll({ limit: 5 }))).next).to.deep.equal(['p4'])
    })

    it('take ranges, the lower end in and the upper end out, on numbers and texts', async () => {
      const byAge = { index: 'by-age', equals: ['cz'] }
      expect(await idsOf(build, { ...byAge, from: 10, to: 30 })).to.deep.equal(['p1', 'p2'])
      expect(await idsOf(build, { ...byAge, from: 30 })).to.deep.equal(['p3', 'p4'])
      const byTown = { index: 'by-town', equals: ['cz'] }
      expect(await idsOf(build, { ...byTown, from: 'o', to: 'p' })).to.deep.equal(['p2'])
    })

    it('keep their range on every page, also with a page key from outside of it', async () => {
      const query = { index: 'by-age', equals: ['cz'], from: 10, to: 40, limit: 1 }
      expect(await allPages(build, query)).to.deep.equal(['p1', 'p2', 'p3'])
      expect(await allPages(build, { ...query, direction: 'backward' })).to.deep.equal([
        'p3',
        'p2',
        'p1',
      ])
      expect(await idsOf(build, { ...query, after: [0, 'p0'] })).to.deep.equal(['p1'])
      const backward = { ...query, direction: 'backward', after: [99, 'z'] } as const
      expect(await idsOf(build, backward)).to.deep.equal(['p3'])
    })

    it('stay right while documents are added and changed', async () => {
      let count = 0
      const seen = await allPages(
        build,
        { index: 'by-age', equals: ['cz'], limit: 2 },
        async () => {
          count += 1
          await write({
            documents: [person(`n${count}`, 1, { age: count }), person(`p0`, 1 + count)],
          })
        },
      )
      for (const id of ['p1', 'p2', 'p3', 'p4']) {
        expect(seen.filter((one) => one === id)).to.deep.equal([id])
      }
    })

    it('fulfil further conditions, and are short of their limit rather than examine too much', async () => {
      const where = { town: 'brno', land: 'cz' }
      expect(await idsOf(build, { where, limit: 1 })).to.deep.equal(['p0'])
      expect(await allPages(build, { where, limit: 1 })).to.deep.equal(['p0', 'p1'])
      const many = Array.from({ length: maxExamined + 5 }, (_, n) => person(`r${n}`, 1, { age: n }))
      await write({ documents: [...many, person('zz', 1, { town: 'rare' })] })
      const page = await build.find(inAll({ where: { town: 'rare' }, limit: 10 }))
      expect(page.documents).to.deep.equal([])
      expect(page.next).to.be.an('array')
      expect(await allPages(build, { where: { town: 'rare' }, limit: 10 })).to.deep.equal(['zz'])
    })

    it('refuse what is not declared', async () => {
      for (const query of [
        { index: 'by-nothing' },
        { collection: 'nothing' },
        { where: { nothing: 1 } },
        { index: 'by-town', equals: ['cz', 'brno', 'x'] },
        { index: 'by-town', equals: ['cz'], after: ['brno'] },
      ]) {
        const failure = await build.find(inAll(query)).then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(failure, JSON.stringify(query)).to.be.instanceOf(UndeclaredQuery)
      }
    })

    it('leave out documents that lack a field of the index', async () => {
      await write({ documents: [person('x', 1, { age: undefined })] })
      expect(await idsOf(build, { index: 'by-age', equals: ['cz'] })).not.to.contain('x')
      expect(await idsOf(build, { index: 'by-town', equals: ['cz', 'brno'] })).to.contain('x')
    })
  })

  describe('ids', () => {
    const ids = ['a', 'a-b', 'a:1', 'a:10', 'a:2', 'a_1', 'aa', 'a~', 'é', '￿', '🦊']

    it('sort by their UTF-8 bytes', async () => {
      await write({ documents: ids.toReversed().map((id) => person(id, 1)) })
      const sorted = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await allPages(build, { limit: 3 })).to.deep.equal(sorted)
      expect(sorted.slice(-2)).to.deep.equal(['￿', '🦊'])
    })

    it('are found by what they begin with, and nothing beside it', async () => {
      await write({ documents: ids.map((id) => person(id, 1)) })
      expect(await idsOf(build, { prefix: 'a:1' })).to.deep.equal(['a:1', 'a:10'])
      expect(await idsOf(build, { prefix: 'a:' })).to.deep.equal(['a:1', 'a:10', 'a:2'])
      expect(await idsOf(build, { prefix: 'a_' })).to.deep.equal(['a_1'])
      expect(await idsOf(build, { prefix: '￿' })).to.deep.equal(['￿'])
      expect(await idsOf(build, { prefix: '🦊' })).to.deep.equal(['🦊'])
      expect(await idsOf(build, { prefix: '' })).to.have.length(ids.length)
      const byTown = { index: 'by-town', equals: ['cz', 'brno'], prefix: 'a:1' }
      expect(await idsOf(build, byTown)).to.deep.equal(['a:1', 'a:10'])
      const backward = { prefix: 'a:', direction: 'backward', limit: 1 } as const
      expect(await allPages(build, backward)).to.deep.equal(['a:2', 'a:10', 'a:1'])
    })
  })

  describe('a field of several values', () => {
    const withTag = (tag: string) => ({ index: 'by-tag', equals: ['cz', tag] })

    it('finds a document by each of them, once', async () => {
      await write({ documents: [person('a', 1, { tags: ['x', 'y', 'x'] })] })
      expect(await idsOf(build, withTag('x'))).to.deep.equal(['a'])
      expect(await idsOf(build, withTag('y'))).to.deep.equal(['a'])
      expect(await idsOf(build, { where: { tag: 'y' } })).to.deep.equal(['a'])
      expect(await idsOf(build, { where: { tag: 'z' } })).to.deep.equal([])
    })

    it('forgets the values that a document no longer has', async () => {
      await write({ documents: [person('a', 1, { tags: ['x', 'y'] })] })
      await write({ documents: [person('a', 2, { tags: ['y', 'z'] })] })
      expect(await idsOf(build, withTag('x'))).to.deep.equal([])
      expect(await idsOf(build, withTag('y'))).to.deep.equal(['a'])
      expect(await idsOf(build, withTag('z'))).to.deep.equal(['a'])
      await write({ documents: [person('a', 3, { land: 'sk', tags: ['y'] })] })
      expect(await idsOf(build, withTag('y'))).to.deep.equal([])
      expect(await idsOf(build, { index: 'by-tag', equals: ['sk', 'y'] })).to.deep.equal(['a'])
    })

    it('is not touched by a write that is refused', async () => {
      await write({ documents: [person('a', 5, { tags: ['x'] })] })
      await write({ documents: [person('a', 4, { tags: ['y'] })] })
      expect(await idsOf(build, withTag('x'))).to.deep.equal(['a'])
      expect(await idsOf(build, withTag('y'))).to.deep.equal([])
    })
  })

  describe('an index that grows', () => {
    const byWord = (word: string) => ({ collection: 'lines', index: 'by-word', equals: [word] })

    it('lists final documents in the order of their revisions, by each of several values', async () => {
      await write({
        finals: [line('l9', { words: ['a', 'b'] }, 1), line('l1', { words: ['b'] }, 2)],
      })
      await write({ finals: [line('l5', { words: ['b', 'a'] }, 3), line('l6', { words: [] }, 4)] })
      const forward = { ...byWord('b'), limit: 1 }
      expect(await allPages(build, forward)).to.deep.equal(['l9', 'l1', 'l5'])
      const backward = { ...byWord('a'), direction: 'backward', limit: 1 } as const
      expect(await allPages(build, backward)).to.deep.equal(['l5', 'l9'])
      expect(await idsOf(build, byWord('c'))).to.deep.equal([])
      const { documents, next } = await build.find(inAll(forward))
      expect(documents[0]?.body).to.equal('{"words":["a","b"],"revision":1}')
      expect(next).to.deep.equal([1, 'l9'])
    })

    it('tells values apart, however alike, and numbers from texts', async () => {
      const words = [
        'a',
        'A',
        '\u00e1',
        'a\u0301',
        'a b',
        'a-b',
        'a|b',
        'a~7c~b',
        '"',
        '',
        '🦊',
        'x'.repeat(5_000),
      ]
      await write({ finals: words.map((word, n) => line(`w${n}`, { words: [word] }, n)) })
      for (const [n, word] of words.entries()) {
        expect(await idsOf(build, byWord(word)), word.slice(0, 9)).to.deep.equal([`w${n}`])
      }
      expect(await idsOf(build, byWord('x'.repeat(4_999)))).to.deep.equal([])
      const sizes = [
        line('s1', { page: 'p', size: 1 }, 20),
        line('s2', { page: 'p', size: '1' }, 21),
      ]
      await write({ finals: sizes })
      const bySize = { collection: 'lines', index: 'by-size' }
      expect(await idsOf(build, { ...bySize, equals: ['p', 1] })).to.deep.equal(['s1'])
      expect(await idsOf(build, { ...bySize, equals: ['p', '1'] })).to.deep.equal(['s2'])
    })

    it('takes ranges of revisions, in both directions and page by page', async () => {
      const words = (n: number) => ({ words: n % 3 === 0 ? ['a', 'b'] : ['b'] })
      await write({ finals: Array.from({ length: 60 }, (_, n) => line(`l${n}`, words(n), n * 2)) })
      const inRange = { ...byWord('a'), from: 30, to: 61, limit: 2 }
      const expected = ['l15', 'l18', 'l21', 'l24', 'l27', 'l30']
      expect(await allPages(build, inRange)).to.deep.equal(expected)
      const backward = { ...inRange, direction: 'backward' } as const
      expect(await allPages(build, backward)).to.deep.equal(expected.toReversed())
      expect(await idsOf(build, { ...inRange, from: 31, to: 36 })).to.deep.equal([])
      expect(await idsOf(build, { ...inRange, from: 119 })).to.deep.equal([])
      expect(await idsOf(build, { ...inRange, after: [3, 'unknown'] })).to.deep.equal([
        'l15',
        'l18',
      ])
      expect(await idsOf(build, { ...backward, after: [37, 'unknown'] })).to.deep.equal([
        'l18',
        'l15',
      ])
    })

    it('checks further conditions on what it finds', async () => {
      const finals = [
        line('l1', { words: ['a', 'b'], page: 'p', size: 1 }, 1),
        line('l2', { words: ['a'], page: 'p', size: 2 }, 2),
        line('l3', { words: ['a', 'b'], page: 'q', size: 1 }, 3),
      ]
      await write({ finals })
      expect(await idsOf(build, { ...byWord('a'), where: { word: 'b' } })).to.deep.equal([
        'l1',
        'l3',
      ])
      expect(await idsOf(build, { ...byWord('a'), where: { word: 'b', page: 'q' } })).to.deep.equal(
        ['l3'],
      )
      const bySize = { collection: 'lines', index: 'by-size', equals: ['p', 1] }
      expect(await idsOf(build, { ...bySize, where: { word: 'b' } })).to.deep.equal(['l1'])
    })

    it('is asked for values of all its fields but the revision', async () => {
      for (const query of [
        { index: 'by-size', equals: ['p'] },
        { index: 'by-word', equals: [] },
        { index: 'by-word', equals: ['a', 1] },
        { index: 'by-word', equals: ['a'], prefix: '1' },
        { index: 'by-word', equals: ['a'], after: [1] },
        { index: 'by-word', equals: ['a'], where: { nothing: 1 } },
      ]) {
        const failure = await build.find(inAll({ collection: 'lines', ...query })).then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(failure, JSON.stringify(query)).to.be.instanceOf(UndeclaredQuery)
      }
    })

    it('gains nothing from a final document that is there already', async () => {
      await write({ finals: [line('l1', { words: ['a'] }, 1)] })
      await write({ finals: [line('l1', { words: ['b'] }, 1), line('l2', { words: ['a'] }, 2)] })
      expect(await idsOf(build, byWord('a'))).to.deep.equal(['l1', 'l2'])
      expect(await idsOf(build, byWord('b'))).to.deep.equal([])
    })
  })

  describe('progress, parked streams and coverage', () => {
    it('are what was written last; progress never goes back', async () => {
      await write({
        progress: [
          { stream: 's-1', revision: 4n },
          { stream: 's-2', revision: 0n },
        ],
      })
      await write({ progress: [{ stream: 's-1', revision: 2n }] })
      expect(await build.progress('s-1')).to.equal(4n)
      expect(await build.progress('s-3')).to.equal(undefined)
      expect(await build.allProgress()).to.deep.equal([
        { stream: 's-1', revision: 4n },
        { stream: 's-2', revision: 0n },
      ])
    })

    it('name a parked stream until it is unparked', async () => {
      const one = {
        stream: 's-1',
        revision: 3n,
        reason: 'no',
        parkedAt: '2026-01-01T00:00:00.000Z',
      }
      await write({ parked: [one, { ...one, stream: 's-2' }] })
      await write({ parked: [{ ...one, reason: 'still no' }] })
      expect(await build.parked('s-1')).to.deep.equal([{ ...one, reason: 'still no' }])
      await write({ unparked: ['s-1'] })
      expect(await build.parked()).to.deep.equal([{ ...one, stream: 's-2' }])
    })

    it('name the log and its position', async () => {
      expect(await build.coverage()).to.equal(undefined)
      const coverage = { logId: 'l', position: '0042', levelAt: '2026-01-01T00:00:00.000Z' }
      await write({ coverage })
      expect({ ...(await build.coverage()) }).to.deep.equal(coverage)
    })

    it('name the furthest event that anything is of, also where the build is not open', async () => {
      const { store } = tested
      const place = (revision: bigint, position: string) => ({
        ...{ logId: 'l', stream: 's-1', revision, position, id: `id-${revision}` },
      })
      const furthest = async (name: string) => ({ ...(await store.furthest(name)) })
      expect(await store.furthest('people-v1.1')).to.equal(undefined)
      expect(await store.furthest('people-v1.99')).to.equal(undefined)
      const progress = [{ stream: 's-1', revision: 4n }]
      await write({ furthest: place(4n, '0042'), progress })
      expect(await furthest('people-v1.1')).to.deep.equal(place(4n, '0042'))
      await write({ furthest: place(3n, '0041'), progress })
      expect(await furthest('people-v1.1')).to.deep.equal(place(4n, '0042'))
      await write({ furthest: place(1n, '0043'), progress })
      expect(await furthest('people-v1.1')).to.deep.equal(place(1n, '0043'))
    })

    it('are never seen before the documents', async () => {
      const reader = await (await tested.openReader()).openBuild('people-v1.1', collections)
      const writing = (async () => {
        for (let revision = 1; revision <= 200; revision += 1) {
          await write({
            documents: [person('a', revision, { age: revision })],
            progress: [{ stream: 's-1', revision: BigInt(revision) }],
          })
          await new Promise(setImmediate)
        }
      })()
      for (let seen = 0n; seen < 200n; ) {
        seen = (await reader.progress('s-1')) ?? 0n
        const [document] = await reader.get('people', ['a'])
        expect((document?.revision ?? 0n) >= seen, `${document?.revision} at ${seen}`).to.equal(
          true,
        )
        await new Promise(setImmediate)
      }
      await writing
    })
  })

  describe('builds', () => {
    it('are there again after reopening, with all they hold', async () => {
      await write({
        documents: [person('a', 1, { tags: ['x'] })],
        progress: [{ stream: 's-1', revision: 1n }],
      })
      await store.setLiveBuild('people', 'people-v1.1')
      store = await tested.reopen()
      expect(await store.liveBuild('people')).to.equal('people-v1.1')
      build = await store.openBuild('people-v1.1', collections)
      expect(await idsOf(build, { index: 'by-tag', equals: ['cz', 'x'] })).to.deep.equal(['a'])
      expect(await build.progress('s-1')).to.equal(1n)
    })

    it('are listed by projection; one of them is live, until another is or none', async () => {
      await store.openBuild('people-v2.1', collections)
      await store.openBuild('peopleless-v1.1', collections)
      expect(await store.builds('people')).to.deep.equal(['people-v1.1', 'people-v2.1'])
      expect(await store.liveBuild('people')).to.equal(undefined)
      await store.setLiveBuild('people', 'people-v1.1')
      await store.setLiveBuild('people', 'people-v2.1')
      const reader = await tested.openReader()
      expect(await reader.liveBuild('people')).to.equal('people-v2.1')
      await store.setLiveBuild('people', undefined)
      expect(await reader.liveBuild('people')).to.equal(undefined)
    })

    it('are gone when dropped, and may be made anew', async () => {
      await write({ documents: [person('a', 1)] })
      await store.dropBuild('people-v1.1')
      expect(await store.builds('people')).to.deep.equal([])
      await store.dropBuild('people-v1.1')
      build = await store.openBuild('people-v1.1', collections)
      expect(await build.get('people', ['a'])).to.deep.equal([undefined])
    })

    it('can be filled with indexes made at the end', async () => {
      const filled = await store.openBuild('people-v1.7', collections, { deferIndexes: true })
      const documents = [person('a', 1, { tags: ['x'] }), person('b', 1, { tags: ['x', 'y'] })]
      await filled.write({ ...nothing, finals: [line('l1', { words: ['w'] })] })
      await filled.write({ ...nothing, documents, progress: [{ stream: 's-1', revision: 0n }] })
      await filled.write({
        ...nothing,
        documents: [person('a', 2, { tags: ['y'] })],
        finals: [line('l0', { words: ['w'] }, 2)],
        progress: [{ stream: 's-1', revision: 1n }],
      })
      await filled.completeIndexes()
      await filled.completeIndexes()
      expect(await idsOf(filled, { index: 'by-tag', equals: ['cz', 'y'] })).to.deep.equal([
        'a',
        'b',
      ])
      const query = { collection: 'lines', index: 'by-word', equals: ['w'] }
      expect(await idsOf(filled, query)).to.deep.equal(['l1', 'l0'])
      await filled.write({ ...nothing, finals: [line('l0', { words: ['v'] }, 2)] })
      expect(await idsOf(filled, { ...query, equals: ['v'] })).to.deep.equal([])
    })
  })

  it('wakes who waits for a change, also in another opening', async () => {
    const reader = await tested.openReader()
    const begin = performance.now()
    const woken = Promise.all([store.changed(10_000), reader.changed(10_000)])
    await write({ progress: [{ stream: 's-1', revision: 1n }] })
    await woken
    expect(performance.now() - begin).to.be.below(5_000)
    await store.changed(1) // and the time ends it where nothing is written
  })

  it('counts no change twice as the same, and none while it is under way', async () => {
    const reader = await tested.openReader()
    const stores = [store, reader]
    const counts = () => stores.map((one) => one.changeCount())
    const seen: (number | undefined)[][] = [counts()]
    let during: unknown[] = []
    const note = {
      toJSON() {
        during = counts()
        return 'written'
      },
    }
    const changes: readonly (() => Promise<unknown>)[] = [
      () => write({ documents: [person('a', 1, { note })] }),
      () => write({ progress: [{ stream: 's-1', revision: 1n }] }),
      () => store.setLiveBuild('people', build.name),
      () => build.abandon(),
      () => store.dropBuild(build.name),
    ]
    for (const change of changes) {
      await change()
      seen.push(counts())
    }
    expect(during).to.deep.equal([undefined, undefined])
    for (const at of stores.keys()) {
      const known = seen.map((each) => each[at]).filter((count) => count !== undefined)
      expect(new Set(known).size).to.equal(known.length)
    }
  })
}
