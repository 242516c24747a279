import { open, readFile, rename, writeFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { compile, type FromSchema, type Schema } from '../platform/json-schema.ts'
import type { Fingerprint } from './fingerprint.ts'
import { DamagedIdIndex } from './id-index.ts'
import {
  blockBytes,
  filterBytes,
  findInBlock,
  homeBlock,
  type IdSegment,
  isBlockWhole,
  nextBlock,
  sealBlocks,
  tableBytes,
} from './id-segment.ts'

/**
 * One segment in a file: its table, its filter, a footer as JSON, then 12 bytes: the footer's
 * length, the checksum of filter and footer, and a mark.
 */
const footerSchema = {
  type: 'object',
  properties: {
    count: { type: 'integer', minimum: 0 },
    covered: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          revision: { type: 'string', pattern: '^[0-9]+$' },
        },
        required: ['id', 'revision'],
        additionalProperties: false,
      },
    },
    logId: { type: 'string' },
  },
  required: ['count', 'covered', 'logId'],
  additionalProperties: false,
} as const satisfies Schema

/** How many ids the segment holds, and up to where each stream's events are in the index. */
export type SegmentFooter = FromSchema<typeof footerSchema>

const isFooter = compile(footerSchema)
const mark = 0x31_49_56_45 // "EVI1"
const tailBytes = 12

/** Replaces the file in one step, so that it is whole or not there. */
export async function writeSegmentFile(
  path: string,
  { table, filter }: IdSegment,
  footer: SegmentFooter,
): Promise<void> {
  sealBlocks(table)
  const footerText = Buffer.from(JSON.stringify(footer))
  const tail = Buffer.alloc(tailBytes)
  tail.writeUInt32LE(footerText.length, 0)
  tail.writeUInt32LE(crc32(footerText, crc32(filter)), 4)
  tail.writeUInt32LE(mark, 8)
  const temporary = `${path}.new`
  await writeFile(temporary, Buffer.concat([table, filter, footerText, tail]), { flush: true })
  await rename(temporary, path)
}

export interface SegmentFile {
  readonly filter: Uint8Array
  readonly footer: SegmentFooter
  /** The table too, for a segment that goes on growing. */
  readonly table: () => Buffer
}

/** @throws {DamagedIdIndex} */
export async function readSegmentFile(path: string): Promise<SegmentFile> {
  const bytes = await readFile(path)
  const tailAt = bytes.length - tailBytes
  const damaged = (reason: string) => new DamagedIdIndex(`${path}: ${reason}`)
  if (tailAt < tableBytes + filterBytes || bytes.readUInt32LE(tailAt + 8) !== mark) {
    throw damaged('not a whole segment')
  }
  const footerAt = tableBytes + filterBytes
  if (bytes.readUInt32LE(tailAt) !== tailAt - footerAt) throw damaged('footer cut')
  if (bytes.readUInt32LE(tailAt + 4) !== crc32(bytes.subarray(tableBytes, tailAt))) {
    throw damaged('filter or footer changed')
  }
  const footer: unknown = JSON.parse(bytes.toString('utf8', footerAt, tailAt))
  if (!isFooter(footer)) throw damaged('footer not valid')
  return {
    filter: new Uint8Array(bytes.subarray(tableBytes, footerAt)),
    footer,
    table: () => {
      const table = Buffer.from(bytes.subarray(0, tableBytes))
      for (let start = 0; start < tableBytes; start += blockBytes) {
        if (!isBlockWhole(table, start)) throw damaged(`block at ${start} changed`)
      }
      return table
    },
  }
}

/** Looks an id up in a file: as a rule one read of 4 KiB. @throws {DamagedIdIndex} */
export async function findInFile(
  path: string,
  fingerprint: Fingerprint,
): Promise<bigint | undefined> {
  const file = await open(path).catch((cause: unknown) => {
    const isGone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw isGone ? new DamagedIdIndex(`${path}: it is gone`, { cause }) : cause
  })
  try {
    const buffer = Buffer.alloc(blockBytes)
    for (let block = homeBlock(fingerprint); ; block = nextBlock(block)) {
      const { bytesRead } = await file.read(buffer, 0, blockBytes, block * blockBytes)
      if (bytesRead !== blockBytes || !isBlockWhole(buffer, 0)) {
        throw new DamagedIdIndex(`${path}: block ${block} changed`)
      }
      const found = findInBlock(buffer, 0, fingerprint)
      if (found === 'absent') return undefined
      if (found !== 'spilled') return found
    }
  } finally {
    await file.close()
  }
}
