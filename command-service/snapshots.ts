import { hash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { EventStore, RecordedEvent } from '../events/event-store.ts'
import { compile, type FromSchema, type Schema } from '../platform/json-schema.ts'
import type { SnapshotForm } from './domain/domain.ts'

/** What a snapshot must match, or it is ignored: log, fold, and the very event it ends with. */
const headerSchema = {
  type: 'object',
  properties: {
    eventDigest: { type: 'string' },
    foldVersion: { type: 'string' },
    logId: { type: 'string' },
    recordedAt: { type: 'string' },
    revision: { type: 'string', pattern: '^[0-9]+$' },
    stream: { type: 'string' },
  },
  required: ['eventDigest', 'foldVersion', 'logId', 'recordedAt', 'revision', 'stream'],
  additionalProperties: false,
} as const satisfies Schema

type Header = FromSchema<typeof headerSchema>
const isHeader = compile(headerSchema)

export interface Snapshot<State> {
  readonly state: State
  readonly revision: bigint
  readonly recordedAt: string
}

/** Keeps folded states in files, so that a start need not fold from the first event. Disposable. */
export interface Snapshots<State> {
  /** The stream's snapshot, if it is whole and matches log, fold and store. */
  load(stream: string): Promise<Snapshot<State> | undefined>
  /** Replaces the stream's snapshot in one step. The state must not change meanwhile. */
  save(stream: string, snapshot: Snapshot<State>): Promise<void>
}

export function createSnapshots<State>({
  folder,
  logId,
  foldVersion,
  form,
  store,
}: {
  readonly folder: string
  readonly logId: string
  readonly foldVersion: string
  readonly form: SnapshotForm<State>
  readonly store: Pick<EventStore, 'readStream'>
}): Snapshots<State> {
  const pathOf = (stream: string): string => join(folder, `${stream}.snapshot`)

  async function digestOfEvent(stream: string, revision: bigint): Promise<string | undefined> {
    for await (const [event] of store.readStream(stream, { from: revision, limit: 1 })) {
      if (event) return digest(event)
    }
    return undefined
  }

  return {
    async load(stream) {
      const lines = await readWhole(pathOf(stream))
      const header: unknown = lines?.next().value
      if (!lines || !isHeader(header)) return undefined
      const revision = BigInt(header.revision)
      const expected: Header = {
        ...header,
        eventDigest: (await digestOfEvent(stream, revision)) ?? 'no such event',
        foldVersion,
        logId,
        stream,
      }
      const matches = Object.entries(expected).every(
        ([key, value]) => header[key as keyof Header] === value,
      )
      if (!matches) return undefined
      return { state: form.read(lines), revision, recordedAt: header.recordedAt }
    },

    async save(stream, { state, revision, recordedAt }) {
      const eventDigest = await digestOfEvent(stream, revision)
      if (eventDigest === undefined) throw new Error(`${stream} has no revision ${revision}`)
      const header: Header = {
        eventDigest,
        foldVersion,
        logId,
        recordedAt,
        revision: `${revision}`,
        stream,
      }
      await mkdir(folder, { recursive: true })
      const temporary = `${pathOf(stream)}.new`
      const file = await open(temporary, 'w')
      try {
        let checksum = 0
        const write = async (line: string): Promise<void> => {
          checksum = crc32(line, checksum)
          await file.write(line)
        }
        await write(`${JSON.stringify(header)}\n`)
        for (const line of form.write(state)) await write(`${JSON.stringify(line)}\n`)
        await file.write(`${endMark}${checksum}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, pathOf(stream))
    },
  }
}

const endMark = '"end",'

const digest = (event: RecordedEvent): string =>
  hash(
    'sha256',
    [event.stream, event.revision, event.id, event.type, event.data, event.metadata].join('\n'),
    'base64url',
  )

/** The parsed lines of a file that ends with the checksum of all before; else nothing. */
async function readWhole(path: string): Promise<IterableIterator<unknown> | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const end = text.lastIndexOf(endMark)
  const content = text.slice(0, end)
  if (end <= 0 || text.slice(end) !== `${endMark}${crc32(content)}\n`) return undefined
  return content
    .trimEnd()
    .split('\n')
    .values()
    .map((line): unknown => JSON.parse(line))
}
