import { expect } from 'chai'
import fc from 'fast-check'
import { isRejection } from '../../command-service/domain/decider.ts'
import type { LedgerCommand } from '../../command-service/domain/ledger/commands.ts'
import { ledgerDecider } from '../../command-service/domain/ledger/decider.ts'
import { ledgerSnapshot } from '../../command-service/domain/ledger/snapshot.ts'
import type { Ledger } from '../../command-service/domain/ledger/state.ts'
import { maxBalance } from '../../command-service/domain/ledger/transactions.ts'
import { type LedgerEvent, ledgerCodec } from '../../events/ledger.ts'
import { givenFor, testTime } from '../given.ts'

const given = givenFor(ledgerDecider)

const created: LedgerEvent = { type: 'LedgerCreated', data: { accountOpening: 'explicit' } }
const createdOpen: LedgerEvent = { type: 'LedgerCreated', data: { accountOpening: 'on-first-use' } }
const opened = (account: string, overdrafts?: Record<string, string>): LedgerEvent => ({
  type: 'AccountOpened',
  data: { account, ...(overdrafts && { overdrafts }) },
})
const bank = opened('bank', { 'CZK/2': 'unlimited', 'EUR/2': 'unlimited' })

const move = (amount: string, from: string, to: string, asset = 'CZK/2') => ({
  amount,
  asset,
  from,
  to,
})
const post = (...postings: ReturnType<typeof move>[]): LedgerCommand => ({
  type: 'PostTransaction',
  id: 't1',
  postings,
})
const posted = (...postings: ReturnType<typeof move>[]): LedgerEvent => ({
  type: 'TransactionPosted',
  data: { effectiveAt: testTime, id: 't1', postings },
})

describe('ledger decider', () => {
  describe('CreateLedger', () => {
    it('creates a ledger whose accounts are opened by command, unless it says otherwise', () => {
      given().when({ type: 'CreateLedger' }).thenEvents(created)
      given()
        .when({ type: 'CreateLedger', accountOpening: 'on-first-use', metadata: { k: 'v' } })
        .thenEvents({
          type: 'LedgerCreated',
          data: { accountOpening: 'on-first-use', metadata: { k: 'v' } },
        })
    })
    it('changes nothing when the same ledger exists', () => {
      given(created).when({ type: 'CreateLedger', accountOpening: 'explicit' }).thenEvents()
    })
    it('refuses other settings for a ledger that exists', () => {
      given(created)
        .when({ type: 'CreateLedger', accountOpening: 'on-first-use' })
        .thenRejected('ledger-exists')
      given(created)
        .when({ type: 'CreateLedger', metadata: { k: 'v' } })
        .thenRejected('ledger-exists')
    })
  })

  describe('OpenAccount', () => {
    it('refuses, first, a ledger that does not exist', () => {
      given().when({ type: 'OpenAccount', account: 'a' }).thenRejected('ledger-not-found')
    })
    it('then an account that exists with other content', () => {
      given(created, opened('a'))
        .when({ type: 'OpenAccount', account: 'a', overdrafts: { 'CZK/2': '5' } })
        .thenRejected('account-exists')
      given(created, opened('a'))
        .when({ type: 'OpenAccount', account: 'a', metadata: { k: 'v' } })
        .thenRejected('account-exists')
    })
    it('changes nothing when just that account exists', () => {
      given(created, opened('a', { 'CZK/2': '5' }))
        .when({ type: 'OpenAccount', account: 'a', overdrafts: { 'CZK/2': '5' } })
        .thenEvents()
    })
    it('opens', () => {
      given(created)
        .when({
          type: 'OpenAccount',
          account: 'a',
          overdrafts: { 'CZK/2': '5' },
          metadata: { k: 'v' },
        })
        .thenEvents({
          type: 'AccountOpened',
          data: { account: 'a', metadata: { k: 'v' }, overdrafts: { 'CZK/2': '5' } },
        })
    })
  })

  describe('SetOverdraft', () => {
    const set = (overdrafts: Record<string, string>): LedgerCommand => ({
      type: 'SetOverdraft',
      account: 'a',
      overdrafts,
    })
    it('refuses, first, a ledger that does not exist', () => {
      given()
        .when(set({ 'CZK/2': '5' }))
        .thenRejected('ledger-not-found')
    })
    it('then an account that is not open', () => {
      given(created)
        .when(set({ 'CZK/2': '5' }))
        .thenRejected('account-not-found')
    })
    it('leaves an event for each asset whose overdraft changes, and no other', () => {
      given(created, opened('a', { 'CZK/2': '5', 'EUR/2': 'unlimited' }))
        .when(set({ 'CZK/2': '7', 'EUR/2': 'unlimited', 'USD/2': 'none', 'JPY/0': '1' }))
        .thenEvents(
          { type: 'OverdraftSet', data: { account: 'a', asset: 'CZK/2', overdraft: '7' } },
          { type: 'OverdraftSet', data: { account: 'a', asset: 'JPY/0', overdraft: '1' } },
        )
    })
    it('takes an overdraft away, and lets what is below zero stay there and come back', () => {
      const history = [
        created,
        bank,
        opened('a', { 'CZK/2': '100' }),
        posted(move('80', 'a', 'bank')),
      ]
      const withdrawn: LedgerEvent = {
        type: 'OverdraftSet',
        data: { account: 'a', asset: 'CZK/2', overdraft: 'none' },
      }
      given(...history)
        .when(set({ 'CZK/2': 'none' }))
        .thenEvents(withdrawn)
      given(...history, withdrawn)
        .when(post(move('1', 'a', 'bank')))
        .thenRejected('insufficient-funds')
      given(...history, withdrawn)
        .when(post(move('10', 'bank', 'a')))
        .thenEvents(posted(move('10', 'bank', 'a')))
    })
  })

  describe('PostTransaction, its checks in their order', () => {
    it('1. the ledger exists', () => {
      given()
        .when(post(move('1', 'a', 'a')))
        .thenRejected('ledger-not-found')
    })
    it('2. no posting goes from an account to itself', () => {
      given(created)
        .when(post(move('1', 'a', 'a')))
        .thenRejected('same-account')
    })
    it('3. the accounts are open, where accounts are opened by command', () => {
      given(created, bank)
        .when(post(move('1', 'bank', 'b')))
        .thenRejected('account-not-found', /^b /)
      given(created, bank)
        .when(post(move('1', 'b', 'bank')))
        .thenRejected('account-not-found', /^b /)
    })
    it('4. no balance goes beyond 38 digits', () => {
      const most = maxBalance.toString()
      const history = [created, bank, opened('a'), posted(move(most, 'bank', 'a'))]
      given(...history)
        .when(post(move('1', 'bank', 'a')))
        .thenRejected('balance-overflow')
      given(...history)
        .when(post(move('1', 'a', 'bank')))
        .thenEvents(posted(move('1', 'a', 'bank')))
    })
    it('5. the funds are there', () => {
      given(created, bank, opened('a'))
        .when(post(move('1', 'a', 'bank')))
        .thenRejected('insufficient-funds', /^a has 0 of CZK\/2 available and would need 1$/)
    })
    it('judges funds on the balances after all postings', () => {
      const through = [move('5', 'a', 'b'), move('5', 'bank', 'a')]
      given(created, bank, opened('a'), opened('b'))
        .when(post(...through))
        .thenEvents(posted(...through))
    })
    it('judges funds by asset', () => {
      given(created, bank, opened('a'), posted(move('9', 'bank', 'a', 'EUR/2')))
        .when(post(move('1', 'a', 'bank', 'CZK/2')))
        .thenRejected('insufficient-funds')
    })
    it('goes below zero down to the overdraft and not one unit further', () => {
      const history = [created, bank, opened('a', { 'CZK/2': '100' })]
      given(...history)
        .when(post(move('101', 'a', 'bank')))
        .thenRejected('insufficient-funds')
      given(...history)
        .when(post(move('100', 'a', 'bank')))
        .thenEvents(posted(move('100', 'a', 'bank')))
    })
    it('opens accounts with their first posting where the ledger does so, each once', () => {
      const postings = [move('1', 'bank', 'a'), move('1', 'bank', 'b'), move('1', 'bank', 'a')]
      given(createdOpen, bank)
        .when(post(...postings))
        .thenEvents(opened('a'), opened('b'), posted(...postings))
    })
    it('keeps what the client gave: reference, metadata, effective time', () => {
      const given38 = move(maxBalance.toString(), 'bank', 'a')
      given(created, bank, opened('a'))
        .when({
          type: 'PostTransaction',
          id: 't1',
          postings: [given38],
          reference: 'invoice 7',
          metadata: { k: 'v' },
          effectiveAt: '1993-01-01T00:00:00.000Z',
        })
        .thenEvents({
          type: 'TransactionPosted',
          data: {
            effectiveAt: '1993-01-01T00:00:00.000Z',
            id: 't1',
            metadata: { k: 'v' },
            postings: [given38],
            reference: 'invoice 7',
          },
        })
    })
  })

  describe('laws', () => {
    const accounts = ['bank', 'a', 'b', 'c']
    const assets = ['CZK/2', 'EUR/2']
    const posting = fc.record({
      amount: fc.bigInt({ min: 1n, max: 500n }).map(String),
      asset: fc.constantFrom(...assets),
      from: fc.constantFrom(...accounts),
      to: fc.constantFrom(...accounts),
    })
    const overdrafts = fc.dictionary(
      fc.constantFrom(...assets),
      fc.constantFrom('none', '50', '200', 'unlimited'),
    )
    const command: fc.Arbitrary<LedgerCommand> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.array(posting, { minLength: 1, maxLength: 4 }).map((p) => post(...p)),
      },
      {
        weight: 1,
        arbitrary: overdrafts.map((o) => ({
          type: 'SetOverdraft' as const,
          account: 'a',
          overdrafts: o,
        })),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...accounts), overdrafts)
          .map(([account, o]) => ({ type: 'OpenAccount' as const, account, overdrafts: o })),
      },
    )
    const start = [createdOpen, bank]

    function run(commands: readonly LedgerCommand[]): { ledger: Ledger; events: LedgerEvent[] } {
      const events = [...start]
      let ledger = events.reduce(ledgerDecider.evolve, ledgerDecider.initialState())
      for (const one of commands) {
        const decision = ledgerDecider.decide(one, ledger, { now: testTime, recalled: new Map() })
        if (isRejection(decision)) continue
        events.push(...decision)
        ledger = decision.reduce(ledgerDecider.evolve, ledger)
      }
      return { ledger, events }
    }

    it('all balances of an asset sum to zero', () => {
      fc.assert(
        fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
          const { ledger } = run(commands)
          for (const asset of assets) {
            let sum = 0n
            for (const [, account] of ledger.accounts.ownEntries())
              sum += account.balances[asset] ?? 0n
            expect(sum).equal(0n)
          }
        }),
      )
    })

    it('no posting takes a balance below its overdraft', () => {
      fc.assert(
        fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
          let ledger = start.reduce(ledgerDecider.evolve, ledgerDecider.initialState())
          for (const one of commands) {
            const decision = ledgerDecider.decide(one, ledger, {
              now: testTime,
              recalled: new Map(),
            })
            if (isRejection(decision)) continue
            const before = new Map(ledger.accounts.ownEntries())
            ledger = decision.reduce(ledgerDecider.evolve, ledger)
            if (one.type !== 'PostTransaction') continue
            for (const [id, account] of ledger.accounts.ownEntries()) {
              for (const [asset, balance] of Object.entries(account.balances)) {
                const overdraft = account.overdrafts[asset] ?? 0n
                const earlier = before.get(id)?.balances[asset] ?? 0n
                if (overdraft === 'unlimited' || balance >= earlier) continue
                expect(balance >= -overdraft, `${id} ${asset}`).equal(true)
              }
            }
          }
        }),
      )
    })

    it('every event survives the codec', () => {
      fc.assert(
        fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
          for (const event of run(commands).events) {
            const encoded = ledgerCodec.encode(event, '00000000-0000-4000-8000-000000000000', {
              recordedAt: testTime,
            })
            const decoded = ledgerCodec.decode({
              ...encoded,
              stream: 'ledger-x',
              revision: 0n,
              position: '1',
            })
            expect(decoded.type).equal(event.type)
            expect(decoded.data).deep.equal(event.data)
          }
        }),
      )
    })

    it('a layer that is dropped leaves no trace, one that is merged is as if there had been none', () => {
      const { layers } = ledgerDecider
      fc.assert(
        fc.property(
          fc.array(command, { maxLength: 20 }),
          fc.array(command, { maxLength: 20 }),
          (first, second) => {
            const { ledger } = run(first)
            const before = [...ledgerSnapshot.write(ledger)]
            const { events } = run([...first, ...second])
            const later = events.slice(run(first).events.length)
            const pending = later.reduce(ledgerDecider.evolve, layers?.layer(ledger) ?? ledger)
            expect([...ledgerSnapshot.write(ledger)]).deep.equal(before)
            const merged = layers?.merge(pending, ledger) ?? pending
            expect([...merged.accounts.ownEntries()]).deep.equal([
              ...run([...first, ...second]).ledger.accounts.ownEntries(),
            ])
          },
        ),
      )
    })

    it('a snapshot gives the same ledger back', () => {
      fc.assert(
        fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
          const { ledger } = run(commands)
          const lines = JSON.parse(JSON.stringify([...ledgerSnapshot.write(ledger)]))
          const restored = ledgerSnapshot.read(lines)
          expect(JSON.stringify(restored.settings)).equal(JSON.stringify(ledger.settings))
          expect([...restored.accounts.ownEntries()]).deep.equal([...ledger.accounts.ownEntries()])
        }),
      )
    })
  })
})
