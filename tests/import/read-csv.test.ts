import { expect } from 'chai'
import { type CsvRow, type FileStyle, maxRowBytes, readCsv } from '../../app/import/read-csv.ts'
import type { RowProblem } from '../../app/import/row-problem.ts'
import { useFolder } from './import-fixture.ts'

describe('CSV reading', () => {
  const folder = useFolder()

  async function read(
    content: string | Uint8Array,
    style: FileStyle = {},
  ): Promise<{ rows: readonly CsvRow[]; problem: RowProblem | undefined }> {
    const rows: CsvRow[] = []
    let problem: RowProblem | undefined
    for await (const piece of readCsv(await folder.write('a.csv', content), style)) {
      rows.push(...piece.rows)
      problem = piece.problem
    }
    return { rows, problem }
  }
  const bytes = (...parts: readonly (string | number)[]): Uint8Array =>
    Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
    )

  it('reads LF and CRLF, quotes, quotes in quotes, line ends in quotes, with their lines', async () => {
    const { rows, problem } = await read('a,b\r\n"x, ""y""",1\r\n\r\n"two\r\nlines",2\nc,3\r\n')
    expect(problem).to.equal(undefined)
    expect(rows).to.deep.equal([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['x, "y"', '1'] },
      { line: 4, fields: ['two\r\nlines', '2'] },
      { line: 6, fields: ['c', '3'] },
    ])
  })

  it('takes another separator and quote, tabs, or no quotes at all', async () => {
    expect((await read("a;'b;c'\n", { separator: ';', quote: "'" })).rows[0]?.fields).to.deep.equal(
      ['a', 'b;c'],
    )
    expect((await read('a\t"b\n', { separator: '\t', quote: '' })).rows[0]?.fields).to.deep.equal([
      'a',
      '"b',
    ])
  })

  it('skips lines above the header, also with quotes in them, and goes on counting', async () => {
    const { rows } = await read('Konto "x\r\nvom 1.1.\r\na,b\r\n1,2\r\n', { skipLines: 2 })
    expect(rows).to.deep.equal([
      { line: 3, fields: ['a', 'b'] },
      { line: 4, fields: ['1', '2'] },
    ])
  })

  it('reads windows-1252, UTF-16 and a byte order mark', async () => {
    const german = bytes('Gl', 0xe4, 'ubiger,', 0x80, '\n')
    expect((await read(german, { encoding: 'windows-1252' })).rows[0]?.fields).to.deep.equal([
      'Gläubiger',
      '€',
    ])
    const utf16 = Buffer.from('\ufeffä,b\n', 'utf16le')
    expect((await read(utf16, { encoding: 'utf-16le' })).rows[0]?.fields).to.deep.equal(['ä', 'b'])
    expect((await read('\ufeffa,b\n')).rows[0]?.fields).to.deep.equal(['a', 'b'])
  })

  it('names the byte and the line that cannot be decoded, and keeps every row before', async () => {
    const { rows, problem } = await read(bytes('a,b\n1,2\n3,', 0xe4, '\n5,6\n'))
    expect(problem).to.deep.equal({
      line: 3,
      code: 'bytes-not-decodable',
      detail: 'byte 10 is not utf-8',
    })
    expect(rows.map(({ line }) => line)).to.deep.equal([1, 2])
  })

  it('keeps them also where the bytes are within quotes', async () => {
    const { rows, problem } = await read(bytes('a,b\n1,2\n3,"', 0xe4, '"\n5,6\n'))
    expect(problem).to.include({ line: 3, code: 'bytes-not-decodable' })
    expect(rows.map(({ line }) => line)).to.deep.equal([1, 2])
  })

  it('keeps every row before it in a long file too', async () => {
    const many = '1,2\n'.repeat(50_000)
    const { rows, problem } = await read(bytes(many, 0xff, '\n'))
    expect(problem?.line).to.equal(50_001)
    expect(problem?.detail).to.equal('byte 200000 is not utf-8')
    expect(rows.length).to.equal(50_000)
  })

  it('tells a character that is cut at the end of the file', async () => {
    const { problem } = await read(bytes('a,b\n1,', 0xe2, 0x82))
    expect(problem?.code).to.equal('bytes-not-decodable')
    expect(problem?.line).to.equal(2)
  })

  it('tells the row whose quote is never closed, and keeps every row before', async () => {
    const { rows, problem } = await read('a,b\n1,2\n3,"cut\n5,6\n')
    expect(rows.map(({ line }) => line)).to.deep.equal([1, 2])
    expect(problem?.code).to.equal('quote-not-closed')
    expect(problem?.line).to.equal(3)
  })

  it('tells quotes in the wrong place', async () => {
    expect((await read('a,b\n1,"x"y\n')).problem).to.include({ code: 'quote-misplaced', line: 2 })
    expect((await read('a,b\n1,2\n1,x"y"\n')).problem).to.include({
      code: 'quote-misplaced',
      line: 3,
    })
  })

  it('takes a last row without a line end for cut, unless the mapping says otherwise', async () => {
    const cut = await read('a,b\n1,2\n3,45')
    expect(cut.problem).to.include({ code: 'file-cut', line: 3 })
    expect(cut.rows.length).to.equal(2)
    const whole = await read('a,b\n1,2\n3,45', { lastLineEnd: 'optional' })
    expect(whole.problem).to.equal(undefined)
    expect(whole.rows.length).to.equal(3)
  })

  it('tells an empty file', async () => {
    expect((await read('')).problem).to.include({ code: 'file-empty', line: 1 })
  })

  it('bounds a row, so that an unclosed quote cannot take all memory', async () => {
    const { problem } = await read(`a,b\n1,"${'x\n'.repeat(maxRowBytes)}`)
    expect(problem).to.include({ code: 'row-too-long', line: 2 })
  })
})
