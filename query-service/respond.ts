import { type Answer, raw } from '../platform/http/operation.ts'
import type { Request } from '../platform/http/request.ts'
import type { Page, StoredDocument } from '../projections/read-model-store.ts'
import { freshnessHeaders, type View } from './freshness.ts'
import { type ListIdentity, pageText, writeCursor } from './pagination.ts'

/**
 * One document as it is stored. Its strong ETag comes from the build and the document's revision,
 * which together say what its bytes are; who has it already is answered 304.
 */
export function documentAnswer(
  view: View,
  document: StoredDocument,
  request: Request,
): Answer<200 | 304> {
  const etag = `"${view.build.name}.${document.revision}"`
  const headers = freshnessHeaders(view)
  headers.ETag = etag
  const known = request.header('if-none-match')
  if (known !== undefined && isMatched(known, etag)) return { status: 304, headers }
  return raw(200, document.body, headers)
}

/** `If-None-Match` compares weakly: a `W/` in front counts for nothing (RFC 9110). */
const isMatched = (known: string, etag: string): boolean =>
  known.trim() === '*' ||
  known.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag)

/** A page of documents, each at its own revision. */
export function pageAnswer(view: View, page: Page, identity: ListIdentity): Answer<200> {
  const items = page.documents.map(({ body }) => body)
  const next = page.next && writeCursor(identity, page.next)
  return raw(200, pageText(items, next), freshnessHeaders(view))
}
