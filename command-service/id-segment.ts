import { crc32 } from 'node:zlib'
import { type Fingerprint, fingerprintBytes } from './fingerprint.ts'

/**
 * A hash table of fixed size, the same in memory and in a file: blocks of 4 KiB that each carry a
 * checksum, slots of a fingerprint and a revision. It never grows, so nothing is ever rehashed.
 */
export interface IdSegment {
  readonly table: Buffer
  /** A Bloom filter over the table: without a false "no", and with a false "yes" in 2,000. */
  readonly filter: Uint8Array
  count: number
}

export const blockBytes = 4_096
const slotBytes = fingerprintBytes + 8
const slotsPerBlock = 170
const checksumAt = slotsPerBlock * slotBytes
const blocks = 768

export const tableBytes = blocks * blockBytes
export const filterBytes = 256 * 1_024
/** Two thirds of the slots: fuller, and blocks would spill over into the next. */
export const idsPerSegment = 85_000

export const createIdSegment = (): IdSegment => ({
  table: Buffer.alloc(tableBytes),
  filter: new Uint8Array(filterBytes),
  count: 0,
})

export const isFull = ({ count }: IdSegment): boolean => count >= idsPerSegment

/** A fingerprint that is there gets the new revision. */
export function addId(segment: IdSegment, fingerprint: Fingerprint, revision: bigint): void {
  const { table, filter } = segment
  for (let block = homeBlock(fingerprint); ; block = (block + 1) % blocks) {
    const start = block * blockBytes
    const slot = findSlot(table, start, fingerprint)
    if (slot === 'full') continue
    const isNew = isEmpty(table, slot)
    if (isNew) fingerprint.copy(table, slot)
    table.writeBigUInt64LE(revision + 1n, slot + fingerprintBytes) // 0 marks an empty slot
    if (!isNew) return
    segment.count += 1
    for (let which = 0; which < bitsPerId; which += 1) {
      const bit = filterBit(fingerprint, which)
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7))
    }
    return
  }
}

/** `spilled` means that the next block has to be looked at. */
export type Lookup = bigint | 'absent' | 'spilled'

export function findId({ table }: IdSegment, fingerprint: Fingerprint): bigint | undefined {
  for (let block = homeBlock(fingerprint); ; block = (block + 1) % blocks) {
    const found = findInBlock(table, block * blockBytes, fingerprint)
    if (found === 'spilled') continue
    return found === 'absent' ? undefined : found
  }
}

/** Looks in one block, which begins at `start` of the buffer. */
export function findInBlock(buffer: Buffer, start: number, fingerprint: Fingerprint): Lookup {
  const slot = findSlot(buffer, start, fingerprint)
  if (slot === 'full') return 'spilled'
  return isEmpty(buffer, slot) ? 'absent' : buffer.readBigUInt64LE(slot + fingerprintBytes) - 1n
}

export function mayHold(filter: Uint8Array, fingerprint: Fingerprint): boolean {
  for (let which = 0; which < bitsPerId; which += 1) {
    const bit = filterBit(fingerprint, which)
    if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
  }
  return true
}

export const homeBlock = (fingerprint: Fingerprint): number => fingerprint.readUInt32LE(0) % blocks

export const nextBlock = (block: number): number => (block + 1) % blocks

/** Writes each block's checksum into it; the last thing before the table goes to a file. */
export function sealBlocks(table: Buffer): void {
  for (let start = 0; start < tableBytes; start += blockBytes) {
    table.writeUInt32LE(blockChecksum(table, start), start + checksumAt)
  }
}

export const isBlockWhole = (buffer: Buffer, start: number): boolean =>
  buffer.readUInt32LE(start + checksumAt) === blockChecksum(buffer, start)

const blockChecksum = (buffer: Buffer, start: number): number =>
  crc32(buffer.subarray(start, start + checksumAt))

/** Where in the block the fingerprint is, or else the empty slot that is free for it. */
function findSlot(buffer: Buffer, start: number, fingerprint: Fingerprint): number | 'full' {
  const home = fingerprint.readUInt32LE(4) % slotsPerBlock
  for (let probe = 0; probe < slotsPerBlock; probe += 1) {
    const slot = start + ((home + probe) % slotsPerBlock) * slotBytes
    if (isEmpty(buffer, slot) || isSame(buffer, slot, fingerprint)) return slot
  }
  return 'full'
}

const isEmpty = (buffer: Buffer, slot: number): boolean =>
  buffer.readUInt32LE(slot + fingerprintBytes) === 0 &&
  buffer.readUInt32LE(slot + fingerprintBytes + 4) === 0

const isSame = (buffer: Buffer, slot: number, fingerprint: Fingerprint): boolean =>
  buffer.readUInt32LE(slot) === fingerprint.readUInt32LE(0) &&
  buffer.compare(fingerprint, 0, fingerprintBytes, slot, slot + fingerprintBytes) === 0

const bitsPerId = 4

/** One of four bits of 2^21, from the half of the fingerprint that does not choose the slot. */
function filterBit(fingerprint: Fingerprint, which: number): number {
  const a = fingerprint.readUInt32LE(8)
  const b = fingerprint.readUInt32LE(12)
  const mask = filterBytes * 8 - 1
  if (which === 0) return a & mask
  if (which === 1) return b & mask
  return (which === 2 ? a ^ (b >>> 7) : (a >>> 11) ^ (b << 5)) & mask
}
