import { expect } from 'chai'
import { checkLog } from './check-log.ts'
import type { History, Seen, Sent } from './history.ts'
import type { Logged } from './logged.ts'

const postings = [{ amount: '5', asset: 'CZK/2', from: 'bank', to: 'alice' }]

const logged = (revision: bigint, name: string, more: Partial<Logged> = {}): Logged => ({
  id: `event-${revision}`,
  stream: 'ledger-red',
  revision,
  position: String(revision),
  event: {
    type: 'TransactionPosted',
    data: { id: name, effectiveAt: '2026-01-31T09:30:00.000Z', postings },
  },
  metadata: {
    recordedAt: '2026-01-31T09:30:00.000Z',
    schemaVersion: 1,
    command: {
      ...{ caller: 'anonymous', count: 1, index: 0, type: 'PostTransaction' },
      hash: `sha256:${name}`,
    },
  },
  ...more,
})

const accepted = (revision: bigint, replayed = false): Seen => ({
  ...{ status: 'accepted', revision, replayed },
})

/** Each outcome of a command came one millisecond after it was sent. */
const sent = (id: string, sentAt: number, ...outcomes: readonly Seen[]): Sent => ({
  ...{ ledger: 'red', id, key: undefined, type: 'PostTransaction', account: undefined },
  body: { id, postings },
  attempts: outcomes.map((outcome) => ({ sentAt, endedAt: sentAt + 1, outcome })),
})

const history = (commands: readonly Sent[], more: Partial<History> = {}): History => ({
  ...{ sent: [...commands], reads: [], alarms: [], ...more },
})

describe('the checker of crashes', () => {
  const log = [logged(0n, 't0'), logged(1n, 't1')]
  const told = [sent('t0', 0, accepted(0n)), sent('t1', 2, accepted(1n))]
  const refused = { status: 'refused', code: 'insufficient-funds' } as const
  const whole = logged(1n, 't1').metadata
  const half: Logged['metadata'] = {
    ...whole,
    ...(whole.command && { command: { ...whole.command, count: 2 } }),
  }

  const cases: readonly [string, RegExp, readonly Logged[], History, (readonly Logged[])?][] = [
    ['an acknowledged command that is lost', /^I1 .* is not there/, log.slice(0, 1), history(told)],
    ['a command that is there twice', /^I1 .* 2 times/, [...log, logged(2n, 't1')], history(told)],
    ['a gap', /^I1 .* was due/, [logged(0n, 't0'), logged(2n, 't1')], history(told)],
    ['an event that nobody asked for', /^I1 nobody sent/, [...log, logged(2n, 'x')], history(told)],
    [
      'another revision than was told',
      /^I1 .* told 7/,
      log,
      history([...told, sent('t1', 9, accepted(7n, true))].toSpliced(1, 1)),
    ],
    [
      'other postings than were sent',
      /^I1 .* other postings/,
      log,
      history(told.with(1, { ...sent('t1', 2, accepted(1n)), body: { postings: [] } })),
    ],
    [
      'a refused command that left an event',
      /^I2/,
      log,
      history(told.with(1, sent('t1', 2, refused))),
    ],
    [
      'half a command',
      /^I3 .* ends within/,
      [logged(0n, 't0'), logged(1n, 't1', { metadata: half })],
      history([sent('t0', 0, accepted(0n)), sent('t1', 2, refused)]),
    ],
    [
      'a later command that stands before an earlier one',
      /^I4/,
      log,
      history([sent('t0', 2, accepted(0n)), sent('t1', 0, accepted(1n))]),
    ],
    [
      'a read that went back',
      /^I6/,
      log,
      history(told, { reads: [{ ledger: 'red', minRevision: 3n, revision: 2n, sums: {} }] }),
    ],
    [
      'money out of nothing',
      /^I7/,
      log,
      history(told, {
        reads: [{ ledger: 'red', minRevision: 0n, revision: 1n, sums: { 'CZK/2': '1' } }],
      }),
    ],
    ['an event that was seen and is gone', /^I8/, log, history(told), [...log, logged(2n, 't2')]],
    ['an answer of 500', /^alarm/, log, history(told, { alarms: ['500'] })],
  ]

  it('finds nothing where all is as it was told', () => {
    expect(checkLog(log, history(told), log.slice(0, 1))).deep.equal([])
  })

  for (const [what, line, found, heard, before] of cases) {
    it(`finds ${what}`, () => {
      const problems = checkLog(found, heard, before)
      expect(
        problems.some((problem) => line.test(problem)),
        problems.join('\n'),
      ).equal(true)
    })
  }
})
