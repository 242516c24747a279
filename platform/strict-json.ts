export type JsonRefusal =
  | 'invalid-json'
  | 'json-too-deep'
  | 'duplicate-key'
  | 'escaped-key'
  | 'forbidden-key'
  | 'invalid-number'
  | 'invalid-unicode'

/** A text that is not JSON, or that two readers could take for two different values. */
export class JsonRefused extends Error {
  readonly code: JsonRefusal
  constructor(code: JsonRefusal, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface JsonLimits {
  /** Objects and arrays inside each other, at most. */
  readonly maxDepth: number
}

export const defaultJsonLimits: JsonLimits = { maxDepth: 32 }

/**
 * The value of a JSON text that can be read in one way only: no key twice in an object, no
 * `__proto__`, no escape in a key, whole numbers within the safe range and written without fraction or exponent,
 * strings of well-formed Unicode. `text` has been decoded from valid UTF-8.
 * @throws {JsonRefused}
 */
export function parseStrictJson(text: string, limits: JsonLimits = defaultJsonLimits): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new JsonRefused('invalid-json', `The text is not JSON${placeIn(text, cause)}.`, { cause })
  }
  // A key that came twice is one colon more in the text than there are keys in the value.
  const colons = scan(text, limits.maxDepth)
  // Only an escape can make a lone surrogate: the text itself was valid UTF-8.
  const keys = text.includes('\\u') ? countKeys(value, isWellFormed) : countKeys(value)
  if (keys !== colons) {
    throw new JsonRefused('duplicate-key', `An object has the key ${repeatedKey(text)} twice.`)
  }
  return value
}

/** The engine's own words quote the text: only the place is taken from them, where they have one. */
function placeIn(text: string, cause: unknown): string {
  const { message } = cause as SyntaxError
  if (message.includes('end of JSON input')) return `: it ends early, at position ${text.length}`
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return ` at position ${position}`
  const token = /^Unexpected token '(.)'/u.exec(message)?.[1]
  return token === undefined ? '' : `: ${token} stands where it cannot`
}

const maxShownKey = 64

/** A key as it is written, shortened. */
const shown = (key: string): string =>
  key.length > maxShownKey + 2 ? `${key.slice(0, maxShownKey)}…"` : key

const quote = 0x22
const backslash = 0x5c

/**
 * Colons outside strings, of a text that is known to be JSON. It refuses depth, inexact numbers and
 * keys with an escape: none of ours needs one, and the V8 of Node 24 can take a key that begins with
 * an escape for the key `\` that it saw before in the same place.
 */
function scan(text: string, maxDepth: number): number {
  let colons = 0
  let depth = 0
  let start = 0 // of the last string
  let hasEscape = false // in it
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        start = at
        at = endOfString(text, at + 1)
        hasEscape = at < 0
        if (hasEscape) at = -at
        break
      case 0x3a: // :
        if (hasEscape) {
          const key = shown(text.slice(start, at).trimEnd())
          throw new JsonRefused('escaped-key', `The key ${key} is written with an escape.`)
        }
        colons += 1
        break
      case 0x7b: // {
      case 0x5b: // [
        depth += 1
        if (depth > maxDepth) {
          throw new JsonRefused('json-too-deep', `More than ${maxDepth} levels deep.`)
        }
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1
        break
      case 0x65: // e, which also ends `true` and `false`
        if (!isDigit(text.charCodeAt(at - 1))) break
        throw inexact(text, at)
      case 0x2e: // .
      case 0x45: // E
        throw inexact(text, at)
    }
  }
  return colons
}

/** The first key that its object has already. */
function repeatedKey(text: string): string {
  const objects: Set<string>[] = []
  let last = ''
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '"') {
      const end = Math.abs(endOfString(text, at + 1))
      last = text.slice(at, end + 1)
      at = end
    } else if (character === '{') objects.push(new Set())
    else if (character === '}') objects.pop()
    else if (character === ':') {
      if (objects.at(-1)?.has(last)) break
      objects.at(-1)?.add(last)
    }
  }
  return shown(last)
}

/** Where the string ends; negative if there was an escape in it. */
function endOfString(text: string, from: number): number {
  let hasEscape = false
  for (let at = from; ; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) return hasEscape ? -at : at
    if (code !== backslash) continue
    hasEscape = true
    at += 1
  }
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

const inexact = (text: string, at: number): JsonRefused =>
  new JsonRefused(
    'invalid-number',
    `The number at position ${text.slice(0, at).search(/-?\d+$/)} is not written as a whole number.`,
  )

const isWellFormed = (text: string): void => {
  if (text.isWellFormed()) return
  throw new JsonRefused('invalid-unicode', 'A string holds half of a surrogate pair.')
}

/** Recursion is bounded: `scan` has refused what is too deep. */
function countKeys(value: unknown, checkText?: (text: string) => void): number {
  if (typeof value === 'string') checkText?.(value)
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new JsonRefused('invalid-number', `A number is beyond ±${Number.MAX_SAFE_INTEGER}.`)
  }
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item, checkText)
    return keys
  }
  const members = value as Readonly<Record<string, unknown>>
  for (const key in members) {
    if (key === '__proto__') throw new JsonRefused('forbidden-key', 'No key may be __proto__.')
    checkText?.(key)
    keys += 1 + countKeys(members[key], checkText)
  }
  return keys
}
