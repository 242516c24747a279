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
 * @throws {UndecodableBytes} after all text before the line it is on
 */
export async function* decodeFile(path: string, encoding: string): AsyncIterable<DecodedChunk> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let bytes = 0
  const decode = async (piece?: Uint8Array): Promise<string> => {
    try {
      return piece ? decoder.decode(piece, { stream: true }) : decoder.decode()
    } catch (cause) {
      throw await locate(path, encoding, cause)
    }
  }
  for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
    const text = await decode(piece)
    bytes += piece.length
    yield { text, bytes }
  }
  yield { text: await decode(), bytes }
}

/** Decodes again, byte by byte: only this tells where it failed, and only failing pays for it. */
async function locate(path: string, encoding: string, cause: unknown): Promise<UndecodableBytes> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let offset = 0
  let line = 1
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
      for (let index = 0; index < piece.length; index += 1) {
        if (decoder.decode(piece.subarray(index, index + 1), { stream: true }) === '\n') line += 1
        offset += 1
      }
    }
    decoder.decode()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error // the file itself could not be read
  }
  return new UndecodableBytes(encoding, offset, line, cause)
}
