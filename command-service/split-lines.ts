import { isUtf8 } from 'node:buffer'

/** A line's text, or why it has none. */
export type Line = string | 'line-too-long' | 'invalid-utf8'

const newline = 0x0a

/**
 * Cuts bytes into lines as they arrive; yields those that are complete together. A line beyond the
 * limit is passed over without being kept, and one that is not UTF-8 spoils no other.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxLineBytes: number,
): AsyncGenerator<readonly Line[]> {
  let rest: Buffer[] = []
  let restBytes = 0
  let isTooLong = false

  function endLine(tail: Buffer): Line {
    const whole = rest.length === 0 ? tail : Buffer.concat([...rest, tail])
    const wasTooLong = isTooLong || whole.length > maxLineBytes
    rest = []
    restBytes = 0
    isTooLong = false
    if (wasTooLong) return 'line-too-long'
    return isUtf8(whole) ? whole.toString('utf8') : 'invalid-utf8'
  }

  for await (const chunk of chunks) {
    const first = chunk.indexOf(newline)
    const last = chunk.lastIndexOf(newline)
    if (first >= 0) {
      const lines: Line[] = [endLine(chunk.subarray(0, first))]
      const between = chunk.subarray(first + 1, last + 1)
      if (between.length > 0) lines.push(...completeLines(between, maxLineBytes))
      yield lines
    }
    const tail = chunk.subarray(last + 1)
    restBytes += tail.length
    isTooLong ||= restBytes > maxLineBytes
    if (isTooLong) rest = []
    else if (tail.length > 0) rest.push(tail)
  }
  if (restBytes > 0) yield [endLine(Buffer.alloc(0))]
}

/** Lines that all end in this block; as a rule all of it is UTF-8 and no line is too long. */
function completeLines(block: Buffer, maxLineBytes: number): readonly Line[] {
  const content = block.subarray(0, -1)
  if (isUtf8(content) && content.length <= maxLineBytes) return content.toString('utf8').split('\n')
  const lines: Line[] = []
  for (let start = 0; start < block.length; ) {
    const end = block.indexOf(newline, start)
    const bytes = block.subarray(start, end)
    if (bytes.length > maxLineBytes) lines.push('line-too-long')
    else lines.push(isUtf8(bytes) ? bytes.toString('utf8') : 'invalid-utf8')
    start = end + 1
  }
  return lines
}
