/** A value that RFC 8785 cannot write, or that would not survive being read back. */
export class NotCanonical extends Error {
  readonly code = 'NOT_CANONICAL'
  constructor(reason: string) {
    super(`not canonical JSON: ${reason}`)
  }
}

/**
 * The one text of a value by RFC 8785: keys in UTF-16 order, no white space. Numbers are safe
 * integers only and strings are well-formed Unicode, so that no reader can see another value.
 * @throws {NotCanonical}
 */
export function canonicalJson(value: unknown): string {
  return isInOrder(value) ? JSON.stringify(value) : write(value)
}

/** Whether `JSON.stringify` would already write the canonical text: the usual case, and the fast one. */
function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return checkScalar(value)
  if (Array.isArray(value)) {
    let inOrder = true
    for (const item of value) inOrder = isInOrder(item) && inOrder
    return inOrder
  }
  let inOrder = true
  let previous: string | undefined
  const record = value as Readonly<Record<string, unknown>>
  for (const key of Object.keys(record)) {
    if (previous !== undefined && previous >= key) inOrder = false
    previous = key
    checkScalar(key)
    inOrder = isInOrder(record[key]) && inOrder
  }
  return inOrder
}

function checkScalar(value: unknown): true {
  switch (typeof value) {
    case 'string':
      if (value.isWellFormed()) return true
      throw new NotCanonical('a string holds a lone surrogate')
    case 'number':
      if (Number.isSafeInteger(value)) return true
      throw new NotCanonical(`the number ${value} is not a safe integer`)
    case 'boolean':
      return true
    default:
      if (value === null) return true
      throw new NotCanonical(`a value is of type ${typeof value}`)
  }
}

/** Written by hand, because an object puts keys that look like integers first, whatever their order. */
function write(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(write).join()}]`
  const record = value as Readonly<Record<string, unknown>>
  let members = ''
  for (const key of Object.keys(record).sort()) {
    members += `${members === '' ? '' : ','}${quote(key)}:${write(record[key])}`
  }
  return `{${members}}`
}

/** ASCII without anything to escape, which is nearly every text here. */
const plain = /^[ !#-[\]-~]*$/

const quote = (text: string): string => (plain.test(text) ? `"${text}"` : JSON.stringify(text))
