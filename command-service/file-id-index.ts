import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fingerprint } from './fingerprint.ts'
import { DamagedIdIndex, type IdIndex, type LastCovered } from './id-index.ts'
import {
  findInFile,
  readSegmentFile,
  type SegmentFooter,
  writeSegmentFile,
} from './id-index-file.ts'
import { addId, createIdSegment, findId, type IdSegment, isFull, mayHold } from './id-segment.ts'

/** Full segments whose tables stay in memory: recent ids are looked up without reading a file. */
const segmentsInMemory = 4

/** A full segment: its filter always, its table while it is recent or in no file yet. */
interface FullSegment {
  readonly path: string
  readonly filter: Uint8Array
  memory: IdSegment | undefined
  /** What its file will end with, until it is written: made when it became full. */
  footer: SegmentFooter | undefined
  writing: Promise<void> | undefined
}

/**
 * Opens the index in a folder. Files that are damaged, missing in between, or of another log are
 * thrown away: what they held is read from the log again.
 */
export async function openFileIdIndex({
  folder,
  logId,
}: {
  readonly folder: string
  readonly logId: string
}): Promise<IdIndex> {
  await mkdir(folder, { recursive: true })
  const pathOf = (number: number): string => join(folder, `ids-${String(number).padStart(6, '0')}`)
  const full: FullSegment[] = []
  const covered = new Map<string, LastCovered>()
  let growing = createIdSegment()
  let generation = 0
  let lastWrite: Promise<void> = Promise.resolve()

  if (!(await loadAll())) await discard()

  /** Forgets at once; the files go after those that are being written, and before any later one. */
  function discard(): Promise<void> {
    generation += 1
    full.length = 0
    covered.clear()
    growing = createIdSegment()
    lastWrite = lastWrite.then(async () => {
      for (const name of await readdir(folder)) await rm(join(folder, name))
    })
    return lastWrite
  }

  async function loadAll(): Promise<boolean> {
    const names = (await readdir(folder)).filter((name) => /^ids-\d{6}$/.test(name)).sort()
    try {
      for (const [number, name] of names.entries()) {
        const path = pathOf(number)
        if (join(folder, name) !== path) return false
        const { filter, footer, table } = await readSegmentFile(path)
        if (footer.logId !== logId) return false
        if (number < names.length - 1) {
          full.push({ path, filter, memory: undefined, footer: undefined, writing: undefined })
          continue
        }
        growing = { table: table(), filter, count: footer.count }
        for (const [stream, { id, revision }] of Object.entries(footer.covered)) {
          covered.set(stream, { id, revision: BigInt(revision) })
        }
      }
      return true
    } catch (error) {
      if (error instanceof DamagedIdIndex) return false
      throw error
    }
  }

  /** What is covered now: all of it is in the growing segment, or in those before it. */
  const footerOf = ({ count }: IdSegment): SegmentFooter => ({
    count,
    covered: Object.fromEntries(
      [...covered].map(([name, { id, revision }]) => [name, { id, revision: `${revision}` }]),
    ),
    logId,
  })

  /** One file after the other. */
  function write(path: string, segment: IdSegment, footer: SegmentFooter): Promise<void> {
    const written = lastWrite.then(() => writeSegmentFile(path, segment, footer))
    lastWrite = written.catch(() => undefined) // who asked for it is told; the next may succeed
    return written
  }

  async function writeFull(segment: FullSegment): Promise<void> {
    const { path, memory, footer } = segment
    if (!memory || !footer) return
    segment.writing ??= write(path, memory, footer).finally(() => (segment.writing = undefined))
    await segment.writing
    segment.footer = undefined
    for (const older of full.slice(0, -segmentsInMemory)) {
      if (!older.footer) older.memory = undefined
    }
  }

  /** Oldest first: a file's footer speaks also of what those before it hold. */
  async function writeAllFull(): Promise<void> {
    for (const segment of full) await writeFull(segment)
  }

  function startNext(): void {
    full.push({
      path: pathOf(full.length),
      filter: growing.filter,
      memory: growing,
      footer: footerOf(growing),
      writing: undefined,
    })
    growing = createIdSegment()
    writeAllFull().catch(() => undefined) // its table stays in memory; `save` tries again
  }

  /** Newest first, as far as no file has to be read. */
  function findInMemory(fingerprint: Fingerprint): bigint | undefined | 'perhaps-in-a-file' {
    if (mayHold(growing.filter, fingerprint)) {
      const newest = findId(growing, fingerprint)
      if (newest !== undefined) return newest
    }
    for (let number = full.length - 1; number >= 0; number -= 1) {
      const segment = full[number]
      if (!segment || !mayHold(segment.filter, fingerprint)) continue
      if (!segment.memory) return 'perhaps-in-a-file'
      const revision = findId(segment.memory, fingerprint)
      if (revision !== undefined) return revision
    }
    return undefined
  }

  async function findInFiles(fingerprint: Fingerprint): Promise<bigint | undefined> {
    for (const { memory, filter, path } of full.toReversed()) {
      if (!mayHold(filter, fingerprint)) continue
      const revision = memory ? findId(memory, fingerprint) : await findInFile(path, fingerprint)
      if (revision !== undefined) return revision
    }
    return undefined
  }

  return {
    async find(fingerprints) {
      const found: (bigint | undefined)[] = []
      for (const fingerprint of fingerprints) {
        const known = findInMemory(fingerprint)
        found.push(known === 'perhaps-in-a-file' ? await findInFiles(fingerprint) : known)
      }
      return found
    },

    add(fingerprint, revision) {
      if (isFull(growing)) startNext()
      addId(growing, fingerprint, revision)
    },

    cover: (stream, last) => void covered.set(stream, last),
    uncover: (stream) => void covered.delete(stream),
    coveredTo: (stream) => covered.get(stream),

    async save() {
      await writeAllFull()
      const { table, filter, count } = growing
      const copy = { table: Buffer.from(table), filter: filter.slice(), count }
      await write(pathOf(full.length), copy, footerOf(copy))
    },

    get generation() {
      return generation
    },

    discard,

    close: () => lastWrite,
  }
}
