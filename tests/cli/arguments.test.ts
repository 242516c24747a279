import { expect } from 'chai'
import { evident } from './terminal-under-test.ts'

/** What is typed, and the first line that is said of it. Nothing is opened for any of them. */
const wrong: readonly (readonly [readonly string[], string])[] = [
  [['replya'], "unknown command 'replya'"],
  [['parked', 'lsit'], "unknown command 'lsit'"],
  [['demo', '--bogus'], "unknown option '--bogus'"],
  [['rebuild'], "missing required argument 'projection'"],
  [['verify', 'more'], "too many arguments for 'verify'. Expected 0 arguments but got 1."],
  [['serve', 'qurey'], 'role qurey: allowed choices are all, command, query, projector, relay.'],
  [['replay', '--limit', '0'], '--limit 0: expected a whole number from 1.'],
  [['replay', '--after', 'x'], '--after x: expected a position, such as 0000000000001000.'],
  [
    ['parked', 'skip', 'accounts', 'ledger-main', '-1', '--reason', 'x'],
    'revision -1: expected a whole number from 0, such as 17.',
  ],
  [
    ['parked', 'skip', 'accounts', 'ledger-main', '1', '--reason', ' '],
    '--reason  : expected 1 to 1024 characters.',
  ],
  [
    ['parked', 'skip', 'accounts', 'ledger-main', '1'],
    "required option '--reason <text>' not specified",
  ],
  [['parked', 'skip'], "missing required argument 'projection'"],
  [
    ['verify', '--url', 'http://127.0.0.1:1', '--data', 'x'],
    "option '--url <url>' cannot be used with option '--data <value>'",
  ],
  [['status', '--url', 'x:8080'], '--url x:8080: expected one like http://127.0.0.1:8080'],
  [
    ['import', 'x.csv', '--mapping', 'x.json', '--url', 'x'],
    '--url x: expected one like http://127.0.0.1:8080',
  ],
  [
    ['rebuild', 'accounts', '--url', 'ftp://x'],
    '--url ftp://x: expected one like http://127.0.0.1:8080',
  ],
]

describe('arguments that cannot be used', () => {
  for (const [args, expected] of wrong) {
    it(`evident ${args.join(' ')}`, async () => {
      const { exitCode, out, err } = await evident(...args)
      expect(err.split('\n')[0]).equal(`evident: ${expected}`)
      expect(exitCode).equal(2)
      expect(out).equal('')
    })
  }

  it('say so where the port is one that no HTTP client uses', async () => {
    const { exitCode, err } = await evident('verify', '--url', 'http://127.0.0.1:1')
    expect(err).contain('(a port that HTTP clients refuse to use)')
    expect(exitCode).equal(69)
  })

  it('are never taken for commands to the terminal', async () => {
    const { err } = await evident('\u001b[2J')
    expect(err).contain("unknown command '?[2J'")
  })
})
