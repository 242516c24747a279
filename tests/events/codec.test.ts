import { expect } from 'chai'
import fc from 'fast-check'
import { createCodec, InvalidEvent, UnknownEvent } from '../../events/codec.ts'
import { DamagedLog, type RecordedEvent } from '../../events/event-store.ts'
import { ledgerCodec } from '../../events/ledger.ts'
import { canonicalJson } from '../../platform/canonical-json.ts'

const recordedAt = '2026-01-31T09:30:00.000Z'
const id = '3581bf4a-6881-4965-8605-dde3412a3c59'
const place = { stream: 'ledger-demo', revision: 3n, position: '0000000000000007' }

const recorded = (type: string, data: unknown, metadata: object = {}): RecordedEvent => ({
  id,
  type,
  data: typeof data === 'string' ? data : JSON.stringify(data),
  metadata: JSON.stringify({ recordedAt, schemaVersion: 1, ...metadata }),
  ...place,
})

const posting = fc.record({
  amount: fc.bigInt({ min: 1n, max: 10n ** 38n - 1n }).map(String),
  asset: fc.constantFrom('CZK/2', 'JPY/0'),
  from: fc.constantFrom('bank', 'a:1'),
  to: fc.constantFrom('b', 'c:2:x'),
})

describe('codec', () => {
  it('gives the event back, and its bytes are canonical', () => {
    fc.assert(
      fc.property(
        fc.array(posting, { minLength: 1, maxLength: 5 }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        (postings, reference) => {
          const data = { reference, postings, id: 't1', effectiveAt: recordedAt }
          const encoded = ledgerCodec.encode({ type: 'TransactionPosted', data }, id, {
            traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
            recordedAt,
            correlationId: 'r1',
          })
          expect(encoded.data).equal(canonicalJson(JSON.parse(encoded.data)))
          expect(encoded.metadata).equal(canonicalJson(JSON.parse(encoded.metadata)))
          const decoded = ledgerCodec.decode({ ...encoded, ...place })
          expect(decoded.data).deep.equal(data)
          expect(decoded).include({ id, ...place, type: 'TransactionPosted' })
          expect(decoded.metadata).deep.include({ recordedAt, schemaVersion: 1 })
        },
      ),
    )
  })

  it('writes no event that its schema refuses', () => {
    const bad = { type: 'AccountOpened', data: { account: 'not an address' } } as const
    expect(() => ledgerCodec.encode(bad, id, { recordedAt })).throw(InvalidEvent, /account/)
    const good = { type: 'AccountOpened', data: { account: 'a' } } as const
    expect(() => ledgerCodec.encode(good, id, { recordedAt: 'now' })).throw(InvalidEvent)
  })

  it('names the place of an event that it does not know, and does not guess (C-14)', () => {
    expect(() => ledgerCodec.decode(recorded('AccountTeleported', {}))).throw(
      UnknownEvent,
      /ledger-demo@3/,
    )
    const newer = recorded('AccountOpened', { account: 'a' }, { schemaVersion: 2 })
    expect(() => ledgerCodec.decode(newer)).throw(UnknownEvent, /v2 is newer/)
  })

  it('names the place of an event that is damaged, and does not serve it (C-20)', () => {
    for (const damaged of [
      recorded('AccountOpened', '{"account":'),
      recorded('AccountOpened', { account: 'a', balance: '1' }),
      recorded('AccountOpened', { account: 'a' }, { recordedAt: 'yesterday' }),
    ]) {
      expect(() => ledgerCodec.decode(damaged)).throw(DamagedLog, /ledger-demo@3/)
    }
  })

  describe('upcasting', () => {
    const older = createCodec<{ type: 'Named'; data: { name: string } }>({
      Named: {
        version: 1,
        schema: {
          type: 'object',
          properties: { name: { type: 'string' } },
          required: ['name'],
          additionalProperties: false,
        },
      },
    })
    const newer = createCodec<{ type: 'Named'; data: { first: string; last: string } }>({
      Named: {
        version: 3,
        schema: {
          type: 'object',
          properties: { first: { type: 'string' }, last: { type: 'string' } },
          required: ['first', 'last'],
          additionalProperties: false,
        },
        upcasters: [
          (data) => ({ full: (data as { name: string }).name.trim() }),
          (data) => {
            const [first = '', last = ''] = (data as { full: string }).full.split(' ')
            return { first, last }
          },
        ],
      },
    })

    it('lifts an event from its version to today’s, step by step', () => {
      const stored = {
        ...older.encode({ type: 'Named', data: { name: ' Ada Byron ' } }, id, { recordedAt }),
        ...place,
      }
      expect(newer.decode(stored).data).deep.equal({ first: 'Ada', last: 'Byron' })
      const second = recorded('Named', { full: 'Ada Byron' }, { schemaVersion: 2 })
      expect(newer.decode(second).data).deep.equal({ first: 'Ada', last: 'Byron' })
    })

    it('refuses definitions whose upcasters do not lead to today’s version', () => {
      expect(() => createCodec({ Named: { version: 2, schema: { type: 'object' } } })).throw(
        /upcasters/,
      )
    })
  })
})
