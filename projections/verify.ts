import { allDocuments } from './all-pages.ts'
import { byId, type CollectionDeclaration } from './projection.ts'
import type { Build, StoredDocument } from './read-model-store.ts'

/** Documents compared at once. */
const pageSize = 500

/** Where two builds of one projection are not the same; a side that has nothing is left out. */
export interface Difference {
  readonly kind: 'progress' | 'document'
  /** The stream, or the document as `collection/id`. */
  readonly of: string
  readonly live?: string
  readonly shadow?: string
}

/**
 * Compares two builds that stand at the same progress: revision by revision of their streams, then
 * document by document, byte for byte. Streams whose progress differs are told, and their documents
 * are not compared: they cannot be the same.
 */
export async function* compareBuilds(
  live: Pick<Build, 'find' | 'allProgress'>,
  shadow: Pick<Build, 'find' | 'allProgress'>,
  collections: readonly CollectionDeclaration[],
): AsyncIterable<Difference> {
  const unequal = new Set<string>()
  for (const difference of await compareProgress(live, shadow)) {
    unequal.add(difference.of)
    yield difference
  }
  for (const { name } of collections) {
    for await (const [one, other] of pairs(documentsOf(live, name), documentsOf(shadow, name))) {
      const id = one?.id ?? other?.id ?? ''
      const isSame = one?.body === other?.body && one?.revision === other?.revision
      if (isSame || unequal.has(id.split('/', 1)[0] ?? id)) continue
      yield {
        kind: 'document',
        of: `${name}/${id}`,
        ...(one ? { live: textOf(one) } : {}),
        ...(other ? { shadow: textOf(other) } : {}),
      }
    }
  }
}

const textOf = ({ revision, body }: StoredDocument): string => `@${revision} ${body}`

async function compareProgress(
  live: Pick<Build, 'allProgress'>,
  shadow: Pick<Build, 'allProgress'>,
): Promise<Difference[]> {
  const ofLive = new Map((await live.allProgress()).map((one) => [one.stream, one.revision]))
  const ofShadow = new Map((await shadow.allProgress()).map((one) => [one.stream, one.revision]))
  const differences: Difference[] = []
  for (const stream of new Set([...ofLive.keys(), ...ofShadow.keys()])) {
    const one = ofLive.get(stream)
    const other = ofShadow.get(stream)
    if (one === other) continue
    differences.push({
      kind: 'progress',
      of: stream,
      ...(one === undefined ? {} : { live: one.toString() }),
      ...(other === undefined ? {} : { shadow: other.toString() }),
    })
  }
  return differences
}

const documentsOf = (build: Pick<Build, 'find'>, collection: string) =>
  allDocuments(build, { collection, index: byId, equals: [], limit: pageSize })

/** Walks two lists in the order of their ids side by side; a document that one lacks stands alone. */
async function* pairs(
  left: AsyncGenerator<StoredDocument>,
  right: AsyncGenerator<StoredDocument>,
): AsyncIterable<readonly [StoredDocument | undefined, StoredDocument | undefined]> {
  let one = (await left.next()).value as StoredDocument | undefined
  let other = (await right.next()).value as StoredDocument | undefined
  while (one || other) {
    const order = one && other ? compareIds(one.id, other.id) : one ? -1 : 1
    yield [order <= 0 ? one : undefined, order >= 0 ? other : undefined]
    if (order <= 0) one = (await left.next()).value as StoredDocument | undefined
    if (order >= 0) other = (await right.next()).value as StoredDocument | undefined
  }
}

/** By UTF-8 bytes, as every engine sorts ids. */
const compareIds = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
