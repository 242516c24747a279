import { setImmediate as otherWork } from 'node:timers/promises'
import type { Build, PageKey, Query, StoredDocument } from './read-model-store.ts'

/** All that a query finds, page by page as its limit says; other work goes on between two pages. */
export async function* allPages(
  build: Pick<Build, 'find'>,
  query: Omit<Query, 'after'>,
): AsyncGenerator<readonly StoredDocument[]> {
  let after: PageKey | undefined
  do {
    const page = await build.find({ ...query, ...(after && { after }) })
    yield page.documents
    after = page.next
    await otherWork()
  } while (after)
}

/** The same, document by document. */
export async function* allDocuments(
  build: Pick<Build, 'find'>,
  query: Omit<Query, 'after'>,
): AsyncGenerator<StoredDocument> {
  for await (const documents of allPages(build, query)) yield* documents
}
