import canonicalize from 'canonicalize'
import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalJson, NotCanonical } from '../../platform/canonical-json.ts'

/** Any JSON value whose numbers are safe integers and whose strings are well formed. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat().map(String)), tie('value'), {
      maxKeys: 5,
    }),
  ),
}))

describe('canonical JSON', () => {
  it('is what RFC 8785 says, by another implementation', () => {
    fc.assert(
      fc.property(value, (any) => {
        expect(canonicalJson(any)).equal(canonicalize(any))
      }),
    )
  })

  it('does not depend on the order in which an object was made', () => {
    const shuffled = fc.dictionary(fc.string(), fc.integer()).chain((record) =>
      fc.tuple(
        fc.constant(record),
        fc.shuffledSubarray(Object.entries(record), {
          minLength: Object.keys(record).length,
        }),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([record, entries]) => {
        expect(canonicalJson(Object.fromEntries(entries))).equal(canonicalJson(record))
      }),
    )
  })

  it('puts keys that look like integers where their text sorts, not where an object keeps them', () => {
    expect(canonicalJson({ 9: 1, 10: 2, a: 3 })).equal('{"10":2,"9":1,"a":3}')
  })

  it('refuses what would not come back as it was', () => {
    for (const bad of [
      0.5,
      Number.MAX_SAFE_INTEGER + 1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '\ud800',
      { '\udc00': 1 },
      [undefined],
      { a: undefined },
      1n,
      () => 1,
    ]) {
      expect(() => canonicalJson(bad)).throw(NotCanonical)
      expect(() => canonicalJson({ z: 1, a: [bad] })).throw(NotCanonical)
    }
  })
})
