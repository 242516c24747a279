import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { takeLock } from '../../adapters/sqlite-lock.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { ended, evident, serveFolder, startCli } from './terminal-under-test.ts'

describe('evident serve', () => {
  const folder = temporaryFolder()

  it('serves, leaves a note of where, and takes it back when it stops', async () => {
    const data = join(folder, 'noted')
    const { url, stop } = await serveFolder(data)
    expect((await fetch(new URL('/healthz', url))).status).equal(200)
    expect(existsSync(join(data, 'running.json'))).equal(true)
    expect(await stop()).equal(0)
    expect(existsSync(join(data, 'running.json'))).equal(false)
  })

  it('says who serves a folder that is in use, and how to work on it there', async () => {
    const data = join(folder, 'in-use')
    const { url, stop } = await serveFolder(data)
    for (const command of [['serve', '--port', '0'], ['verify'], ['replay'], ['status']]) {
      const { exitCode, err } = await evident(...command, '--data', data)
      expect(exitCode, command[0]).equal(69)
      expect(err, command[0]).contain(`--url ${url}`)
      expect(err.trim().split('\n'), command[0]).length(1)
    }
    await stop()
  })

  it('is not misled by the note of a process that was killed', async () => {
    const data = join(folder, 'stale')
    mkdirSync(data)
    const url = 'http://127.0.0.1:9'
    writeFileSync(join(data, 'running.json'), JSON.stringify({ pid: 2 ** 22 + 1, url }))
    const lock = takeLock(join(data, 'events.db.lock'))
    const { exitCode, err } = await evident('serve', '--data', data, '--port', '0')
    lock.release()
    expect(exitCode).equal(69)
    expect(err).contain('in use').and.contain('--url').and.not.contain(url)
  })

  it('says that a port is taken, and lets the folder go', async () => {
    const data = join(folder, 'port')
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const { exitCode, err } = await evident('serve', '--data', data, '--port', port)
    taken.close()
    expect(exitCode).equal(69)
    expect(err).equal(
      `evident: port ${port} of 127.0.0.1 is taken: give another with --port, or --port 0 for any free one.\n`,
    )
    takeLock(join(data, 'events.db.lock')).release()
  })

  it('tells everything that is wrong with the configuration at once', async () => {
    const { exitCode, err } = await evident(
      ...['serve', '--host', '0.0.0.0', '--port', 'x', '--log-level', 'loud'],
    )
    expect(exitCode).equal(2)
    expect(err)
      .match(/^ {2}--port x: expected a whole number from 0 to 65535$/m)
      .match(/^ {2}--log-level loud: expected trace, /m)
      .match(/^ {2}--host 0\.0\.0\.0: .*--allow-anonymous/m)
      .not.match(/PORT|LOG_LEVEL|HOST/)
  })

  it('names what is wrong as it was given: a flag, or a variable that no flag took the place of', async () => {
    const environment = { PORT: 'x', LOG_LEVEL: 'loud', HOST: '0.0.0.0' }
    const { exitCode, err } = await ended(startCli(['serve', '--log-level', 'louder'], environment))
    expect(exitCode).equal(2)
    expect(err)
      .match(/^ {2}PORT=x: expected /m)
      .match(/^ {2}HOST=0\.0\.0\.0: /m)
      .match(/^ {2}--log-level louder: /m)
      .not.contain('LOG_LEVEL')
    const demo = await evident('demo', '--port', 'x')
    expect(demo.err).match(/^ {2}--port x: expected /m)
    const variable = await ended(startCli(['demo', '--exit'], { PORT: 'abc' }))
    expect(variable.err).match(/^ {2}PORT=abc: expected /m)
    expect(variable.exitCode).equal(2)
  })

  it('refuses a role that needs engines of their own', async () => {
    const { exitCode, err } = await evident('serve', 'query')
    expect(exitCode).equal(2)
    expect(err).contain('mean one process')
  })

  const unusable: readonly (readonly [string, (data: string) => void, RegExp])[] = [
    ['is a file', (data) => writeFileSync(data, ''), /cannot be written/],
    [
      'holds a damaged log',
      (data) => {
        mkdirSync(data)
        writeFileSync(join(data, 'events.db'), 'this is no database, whatever its name may say')
      },
      /is damaged.*restore it from a backup/,
    ],
    [
      'is of a newer version',
      (data) => {
        mkdirSync(data)
        const db = new DatabaseSync(join(data, 'events.db'))
        db.exec('CREATE TABLE t (a); PRAGMA application_id = 0x45564454; PRAGMA user_version = 99')
        db.close()
      },
      /has format 99.*use a newer/,
    ],
  ]
  for (const [what, prepare, expected] of unusable) {
    it(`ends with one line and code 74 where the folder ${what}`, async () => {
      const data = join(folder, what.replaceAll(' ', '-'))
      prepare(data)
      const { exitCode, err } = await evident('serve', '--data', data, '--port', '0')
      expect(err).match(expected)
      expect(exitCode).equal(74)
      expect(err.trim().split('\n')).length(1)
    })
  }
})

describe('the command line', () => {
  it('suggests what was probably meant', async () => {
    const { exitCode, err } = await evident('rebiuld')
    expect(exitCode).equal(2)
    expect(err).contain('Did you mean rebuild?')
  })

  it('has help with examples for every command', async () => {
    const { out } = await evident('--help')
    const names = [...out.matchAll(/^ {2}([a-z]+) (?=.* {2})/gm)].map(([, name]) => name ?? '')
    expect(names).include.members(['serve', 'demo', 'import', 'rebuild', 'replay', 'verify'])
    for (const name of ['serve', 'demo', 'import', 'rebuild', 'replay', 'verify', 'doctor']) {
      const { exitCode, out: help } = await evident(name, '--help')
      expect(exitCode, name).equal(0)
      expect(help, name).match(/Examples?:\n/)
    }
  })
})
