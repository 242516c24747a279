import { expect } from 'chai'
import { createLog } from '../../platform/log.ts'

describe('log', () => {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => lines.push(line) })
  beforeEach(() => lines.splice(0))

  it('writes one line a record, without codes that a terminal acts on (A-28)', () => {
    const nasty = 'a\r\nlevel=fatal\u001b[31m\u009b31m\u007f\u2028\u2029\u0000'
    log.info({ path: nasty, [nasty]: 1 }, nasty)
    expect(lines).length(1)
    expect(lines[0]?.endsWith('\n')).equal(true)
    const line = lines[0]?.slice(0, -1) ?? ''
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(line).not.match(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    expect(JSON.parse(line)).include({ path: nasty, msg: nasty, level: 'info' })
  })

  it('keeps the causes of an error', () => {
    const error = new Error('outer', { cause: new Error('inner') })
    log.error({ error }, 'failed')
    expect(JSON.parse(lines[0] ?? '').error.cause.message).equal('inner')
  })

  it('never writes a secret', () => {
    log.info({ authorization: 'Bearer x', request: { cookie: 'y', password: 'z' } })
    expect(lines[0]).not.match(/Bearer|"y"|"z"/)
  })

  it('writes nothing below its level', () => {
    log.debug('quiet')
    expect(lines).deep.equal([])
  })
})
