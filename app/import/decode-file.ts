import { createReadStream } from 'node:fs'

/** Bytes that are no text in the encoding the mapping names. */
export class UndecodableBytes extends Error {
  readonly code = 'UNDECODABLE_BYTES'
  /** 0-based offset of the byte at which decoding failed, and its 1-based line. */
  readonly offset: number
  readonly line: number
  constructor(encoding: string, offset: number, line: number, cause: unknown) {
    super(`byte ${offset} is not ${encoding}`, { cause })
    this.offset = offset
    this.line = line
  }
}

export interface DecodedChunk {
  readonly text: string
  /** Bytes of the file read up to here. */
  readonly bytes: number
}

/**
 * The text of a file, in pieces; a byte order mark is dropped.
 * @throws {UndecodableBytes} after all the text before them
 */
export async function* decodeFile(path: string, encoding: string): AsyncIterable<DecodedChunk> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let bytes = 0
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
      const text = decoder.decode(piece, { stream: true })
      bytes += piece.length
      yield { text, bytes }
    }
    yield { text: decoder.decode(), bytes }
  } catch (error) {
    if (!isDecodingError(error)) throw error
    const { before, offset, line } = await locate(path, encoding, bytes)
    yield { text: before, bytes: offset }
    throw new UndecodableBytes(encoding, offset, line, error)
  }
}

const isDecodingError = (error: unknown): boolean =>
  error instanceof TypeError &&
  'code' in error &&
  error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA'

/**
 * Decodes again, byte by byte: only this tells where it failed, and only failing pays for it.
 * `before` is the text from the byte `from` to the failure.
 */
async function locate(
  path: string,
  encoding: string,
  from: number,
): Promise<{ readonly before: string; readonly offset: number; readonly line: number }> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let before = ''
  let offset = 0 // of the character that is being read
  let line = 1
  let read = 0
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
      for (let index = 0; index < piece.length; index += 1) {
        const text = decoder.decode(piece.subarray(index, index + 1), { stream: true })
        read += 1
        if (text === '') continue
        offset = read
        if (read > from) before += text
        if (text === '\n') line += 1
      }
    }
    decoder.decode()
  } catch (error) {
    if (!isDecodingError(error)) throw error
  }
  return { before, offset, line }
}
