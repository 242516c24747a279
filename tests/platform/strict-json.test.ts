import { expect } from 'chai'
import fc from 'fast-check'
import { JsonRefused, parseStrictJson } from '../../platform/strict-json.ts'

const codeOf = (text: string, maxDepth = 32): string => {
  try {
    parseStrictJson(text, { maxDepth })
    return 'accepted'
  } catch (error) {
    if (error instanceof JsonRefused) return error.code
    throw error
  }
}

/** Reads character by character what JSON.parse has accepted, and says the same in a naive way. */
function naiveCodes(text: string, maxDepth: number): ReadonlySet<string> {
  const codes = new Set<string>()
  let at = 0
  const skip = () => {
    while (' \t\n\r'.includes(text[at] ?? 'x')) at += 1
  }
  const readString = (): string => {
    const start = at
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1
    at += 1
    const value: string = JSON.parse(text.slice(start, at))
    if (!value.isWellFormed()) codes.add('invalid-unicode')
    return value
  }
  const readMany = (close: string, readOne: () => void, depth: number) => {
    if (depth > maxDepth) codes.add('json-too-deep')
    at += 1
    skip()
    while (text[at] !== close) {
      readOne()
      skip()
      if (text[at] === ',') at += 1
      skip()
    }
    at += 1
  }
  const readValue = (depth: number): void => {
    skip()
    const first = text[at] ?? ''
    if (first === '"') readString()
    else if (first === '[') readMany(']', () => readValue(depth + 1), depth + 1)
    else if (first === '{') {
      const keys = new Set<string>()
      const readMember = () => {
        const start = at
        const key = readString()
        if (text.slice(start, at).includes('\\')) codes.add('escaped-key')
        if (keys.has(key)) codes.add('duplicate-key')
        if (key === '__proto__') codes.add('forbidden-key')
        keys.add(key)
        skip()
        at += 1
        readValue(depth + 1)
      }
      readMany('}', readMember, depth + 1)
    } else {
      const [token = ''] = /^[^\s,\]}]+/.exec(text.slice(at)) ?? []
      at += token.length
      const isNumber = /^[-\d]/.test(token)
      if (isNumber && !/^-?\d+$/.test(token)) codes.add('invalid-number')
      if (isNumber && !Number.isSafeInteger(Number(token))) codes.add('invalid-number')
    }
  }
  readValue(0)
  return codes
}

const keys = fc.constantFrom(
  'a',
  'b',
  '__proto__',
  'é',
  '"',
  '\\',
  ':',
  '',
  '{',
  'constructor',
  '1',
)
const space = fc.constantFrom('', ' ', '\n\t')
const quoted = (value: string) =>
  fc.constantFrom(
    JSON.stringify(value),
    `"${[...value].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`,
  )
const strings = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\ud800"', '"\\uD83D\\uDE42"', '"\\\\ud800"', '"}{][:,"', '"\\""', '"1.5e3"'),
)
const scalars = fc.oneof(
  strings,
  fc.constantFrom('true', 'false', 'null', '0', '-0', '-1', '10', '1.5', '1e3', '2E2', '1e400'),
  fc.constantFrom(
    '9007199254740991',
    '9007199254740992',
    '-9007199254740991',
    '12345678901234567890',
  ),
)
const { texts } = fc.letrec<{ texts: string }>((tie) => ({
  texts: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalars,
    fc
      .array(fc.tuple(tie('texts'), space), { maxLength: 4 })
      .map((items) => `[${items.map(([t, s]) => s + t + s)}]`),
    fc
      .array(fc.tuple(keys.chain(quoted), tie('texts'), space), { maxLength: 4 })
      .map((members) => `{${members.map(([k, v, s]) => `${s}${k}${s}:${s}${v}`)}}`),
  ),
}))

describe('strict JSON', () => {
  it('refuses exactly what a naive reader refuses, and otherwise reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 4 }), (text, maxDepth) => {
        const expected = naiveCodes(text, maxDepth)
        const code = codeOf(text, maxDepth)
        if (expected.size === 0) {
          expect(code, text).equal('accepted')
          expect(parseStrictJson(text, { maxDepth })).deep.equal(JSON.parse(text))
        } else expect([...expected], text).include(code)
      }),
      { numRuns: 3_000 },
    )
  })

  it('refuses as not JSON exactly what JSON.parse refuses', () => {
    const damaged = fc.tuple(
      texts,
      fc.nat(),
      fc.constantFrom('', '"', '{', ']', ',', '\\', '.', '0'),
    )
    fc.assert(
      fc.property(damaged, ([text, place, character]) => {
        const at = place % (text.length + 1)
        const broken = text.slice(0, at) + character + text.slice(at + 1)
        let isJson = true
        try {
          JSON.parse(broken)
        } catch {
          isJson = false
        }
        expect(codeOf(broken) === 'invalid-json', broken).equal(!isJson)
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes depth up to the limit, and no stack however deep the text', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(codeOf(nested(32))).equal('accepted')
    expect(codeOf(nested(33))).equal('json-too-deep')
    expect(codeOf(nested(500_000))).equal('json-too-deep')
    expect(codeOf(`${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`)).equal('json-too-deep')
  })

  it('finds a key twice also among many, and not in strings', () => {
    const many = Array.from({ length: 1_000 }, (_, at) => `"k${at}":${at}`).join()
    expect(codeOf(`{${many}}`)).equal('accepted')
    expect(codeOf(`{${many},"k500":0}`)).equal('duplicate-key')
    expect(codeOf('{"a":"b:c\\":\\\\","d":[{"a":1},{"a":2}]}')).equal('accepted')
  })
})
