import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import {
  type CommandResult,
  type LedgerCommandLine,
  SubmissionCut,
} from '../../app/import/command-sink.ts'
import { createHttpCommandSink } from '../../app/import/http-command-sink.ts'

type Answering = (request: IncomingMessage, response: ServerResponse) => unknown

describe('HTTP command sink', () => {
  let close = async (): Promise<void> => {}
  afterEach(() => close())

  /** A server that speaks the bulk route's lines. */
  async function serve(answer: Answering): Promise<string> {
    const server = createServer(answer)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    close = async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const answerLines: Answering = async (request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    let line = 0
    for await (const text of createInterface(request)) {
      line += 1
      const command: unknown = JSON.parse(text)
      expect(command).to.have.property('type', 'OpenAccount')
      const result =
        line % 3 === 0
          ? { line, status: 'refused', code: 'account-exists', detail: 'it is there' }
          : { line, status: 'accepted', revision: `${line}`, replayed: false }
      if (!response.write(`${JSON.stringify(result)}\n`)) await once(response, 'drain')
    }
    response.end('{"end":true,"accepted":0,"refused":0}\n')
  }

  it('streams commands and answers both ways, in order', async () => {
    const url = await serve(answerLines)
    const results = await collect(url, 20_000)
    expect(results.length).to.equal(20_000)
    expect(results.slice(0, 3)).to.deep.equal([
      { accepted: true, revision: '1', replayed: false },
      { accepted: true, revision: '2', replayed: false },
      { accepted: false, code: 'account-exists', detail: 'it is there' },
    ])
  })

  it('takes no more commands than can be sent', async () => {
    let taken = 0
    const url = await serve((request) => request.pause()) // reads nothing, so only buffers fill up
    const endless = commands(Number.POSITIVE_INFINITY, () => {
      taken += 1
    })
    const sink = createHttpCommandSink({ url, answerTimeoutMs: 1_000 })
    const error: unknown = await Array.fromAsync(sink.submit('a', endless)).catch((cut) => cut)
    expect(error).to.be.instanceOf(SubmissionCut)
    expect(taken).to.be.lessThan(200_000)
  })

  it('stops at a command that the ledger could not decide', async () => {
    const url = await serve((request, response) => {
      request.resume()
      response.end('{"line":1,"status":"failed","code":"overloaded","detail":"try again"}\n')
    })
    const [, error] = await collectUntilCut(url)
    expect(String(error)).to.include('overloaded')
  })

  it('tells an answer that was cut, after giving all that was answered', async () => {
    const url = await serve((_, response) => {
      response.write('{"line":1,"status":"accepted","revision":"1","replayed":true}\n{"line":2,"st')
      setImmediate(() => response.end())
    })
    const [results, error] = await collectUntilCut(url)
    expect(results).to.deep.equal([{ accepted: true, revision: '1', replayed: true }])
    expect(error).to.be.instanceOf(SubmissionCut)
  })

  it('tells a connection that breaks', async () => {
    const url = await serve((request) => request.socket.destroy())
    expect((await collectUntilCut(url))[1]).to.be.instanceOf(SubmissionCut)
  })

  it('tells a server that refuses the whole, or speaks something else', async () => {
    const refusing = await serve((request, response) => {
      request.resume()
      response.writeHead(404).end('{"code":"ledger-not-found"}')
    })
    expect(String((await collectUntilCut(refusing))[1])).to.include(
      '404 {"code":"ledger-not-found"}',
    )
    await close()
    const other = await serve((request, response) => {
      request.resume()
      response.end('<html>\n')
    })
    expect(String((await collectUntilCut(other))[1])).to.include('no result: <html>')
  })

  it('gives up a server that does not answer', async () => {
    const url = await serve((request) => request.resume())
    const [, error] = await collectUntilCut(url, 50)
    expect(String(error)).to.include('has not answered for 0.05 s')
  })
})

async function* commands(count: number, onTaken = () => {}): AsyncIterable<LedgerCommandLine> {
  for (let index = 0; index < count; index += 1) {
    onTaken()
    yield { type: 'OpenAccount', key: `k${index}`, account: `customers:${index}` }
  }
}

async function collect(url: string, count: number): Promise<readonly CommandResult[]> {
  return await Array.fromAsync(createHttpCommandSink({ url }).submit('a', commands(count)))
}

async function collectUntilCut(
  url: string,
  answerTimeoutMs = 5_000,
): Promise<readonly [readonly CommandResult[], unknown]> {
  const results: CommandResult[] = []
  try {
    const sink = createHttpCommandSink({ url, answerTimeoutMs })
    for await (const result of sink.submit('a', commands(3))) results.push(result)
    return [results, undefined]
  } catch (error) {
    return [results, error]
  }
}
