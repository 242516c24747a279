import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { startCli } from '../cli/terminal-under-test.ts'
import { eventually } from '../eventually.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const run = promisify(execFile)

interface Answer {
  readonly httpStatus: number
  readonly body: { readonly status: number | string; readonly code?: string }
}

interface Told {
  readonly fed: {
    readonly bulk: { readonly posted: number; readonly alreadyThere: number }
    readonly singles: { readonly posted: number; readonly alreadyThere: number }
    readonly repeated: number
    readonly refused: number
    readonly unexpected: readonly string[]
  }
  readonly sights: {
    readonly refusal: Answer
    readonly balance: { readonly answer: Answer }
    readonly replay: { readonly replayed: boolean }
    readonly totals: { readonly sum: string; readonly revision: string }
  }
}

describe('evident demo', function () {
  this.timeout(60_000)
  const data = join(temporaryFolder(), 'demo')
  let first: Told

  it('feeds a bank, shows what happened, and ends', async () => {
    // Another process, started as npx starts it.
    const args = ['app/evident.js', 'demo', '--exit', '--json', '--port', '0', '--data', data]
    const { stdout } = await run(process.execPath, args)
    first = JSON.parse(stdout) as Told
    const { bulk, singles, repeated, refused, unexpected } = first.fed
    expect(bulk.posted + singles.posted).at.least(20_000)
    expect([bulk.alreadyThere, singles.alreadyThere]).deep.equal([0, 0])
    expect(singles.posted).above(0)
    expect(repeated).above(0)
    expect(refused).above(0)
    expect(unexpected).deep.equal([])
    const { refusal, balance } = first.sights
    expect(refusal).include({ httpStatus: 422 })
    expect(refusal.body).include({ status: 422, code: 'insufficient-funds' })
    expect(balance.answer).include({ httpStatus: 200 })
    expect(balance.answer.body).include({ status: 'open' })
    expect(first.sights.replay.replayed).equal(true)
    expect(first.sights.totals.sum).equal('0')
  })

  it('goes on with what is there, passes a port that is taken over, and stays up', async function () {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const demo = startCli(['demo', '--data', data], { PORT: port })
    await eventually(() => demo.out().includes('Ctrl-C'), 'it has shown all', 30_000)
    taken.close()

    const { fed } = first
    const there = (fed.bulk.posted + fed.singles.posted).toLocaleString('en-US')
    expect(demo.out()).contain(`${there} transactions were there already: nothing was doubled`)
    expect(demo.out()).contain(`at revision ${first.sights.totals.revision}`)
    expect(demo.out()).contain('they sum to zero')
    expect(demo.err()).match(new RegExp(`Port ${port} is taken: \\d+ is used`))

    const lines = demo
      .out()
      .split('\n')
      .filter((line) => line.startsWith('curl '))
    expect(lines).length(3)
    const hasCurl = await run('curl', ['--version']).then(
      () => true,
      () => false,
    )
    if (hasCurl) {
      for (const line of lines) {
        const { stdout } = await run('sh', ['-c', line])
        expect(JSON.parse(stdout), line).not.property('code')
      }
    }
    demo.stop()
    expect(await demo.exitCode).equal(0)
    if (!hasCurl) this.skip() // the lines to paste were not tried: there is no curl here
  })
})
