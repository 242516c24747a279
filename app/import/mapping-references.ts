import type { MappingProblem } from './mapping.ts'
import { hasFingerprint, templateColumns, templateText } from './template.ts'

export interface MappingReferences {
  /** Every mention of a column, with its place. */
  readonly columns: readonly { readonly pointer: string; readonly column: string }[]
  /** Templates that cannot be read, or whose own text an address or id may not have. */
  readonly problems: readonly MappingProblem[]
}

const columnKeys = new Set(['column', 'inColumn', 'outColumn'])
const addressKeys = new Set(['account', 'id'])
const templateKeys = new Set(['account', 'asset', 'id', 'reference'])
const allowedInAddresses = /^[A-Za-z0-9._:-]*$/

/** Walks any value, also one with other faults, so that all can be told at once. */
export function mappingReferences(mapping: unknown): MappingReferences {
  const columns: { pointer: string; column: string }[] = []
  const problems: MappingProblem[] = []

  const template = (text: string, pointer: string, key: string): void => {
    const used = templateColumns(text)
    if (typeof used === 'string') {
      problems.push({ pointer, message: used })
      return
    }
    if (hasFingerprint(text) && key !== 'id') {
      problems.push({ pointer, message: '{$row} has its place in the id only' })
    }
    if (addressKeys.has(key) && !allowedInAddresses.test(templateText(text))) {
      problems.push({ pointer, message: 'has characters that are not allowed in an address' })
    }
    columns.push(...used.map((column) => ({ pointer, column })))
  }

  const walk = (value: unknown, pointer: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, item] of Object.entries(value)) {
      const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const inMetadata = pointer.endsWith('/transaction/metadata')
      const isWhen = pointer.endsWith('/when') || /^\/skipRows\/[0-9]+$/.test(pointer)
      if (isWhen) columns.push({ pointer: at, column: key })
      else if (typeof item !== 'string') walk(item, at)
      else if (inMetadata || templateKeys.has(key)) template(item, at, inMetadata ? '' : key)
      else if (columnKeys.has(key)) columns.push({ pointer: at, column: item })
    }
  }
  walk(mapping, '')
  return { columns, problems }
}
