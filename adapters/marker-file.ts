import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Marker } from '../events/event-bus.ts'
import type { Position } from '../events/event-store.ts'
import { compile, type Schema } from '../platform/json-schema.ts'

const markerSchema = {
  type: 'object',
  properties: { logId: { type: 'string' }, position: { type: 'string' } },
  required: ['logId', 'position'],
  additionalProperties: false,
} as const satisfies Schema

const isMarker = compile(markerSchema)

/**
 * The last marker in a small file, replaced as a whole. Without it, or where it cannot be read, the
 * log is only published from its start again.
 */
export function openMarkerFile(path: string) {
  let last = read(path)
  return {
    last: (logId: string): Position | undefined =>
      last?.logId === logId ? last.position : undefined,

    /** Without an fsync, which would hold up the thread: a marker that a lost machine tears is none. */
    keep({ logId, position }: Marker): void {
      if (last?.logId === logId && last.position === position) return
      mkdirSync(dirname(path), { recursive: true })
      const temporary = `${path}.new`
      writeFileSync(temporary, JSON.stringify({ logId, position }))
      renameSync(temporary, path)
      last = { logId, position }
    },
  }
}

function read(path: string): Marker | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isMarker(content) ? content : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
