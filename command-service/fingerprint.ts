import { hash } from 'node:crypto'
import type { Name } from './domain/decider.ts'

/** 128 bits that stand for an id in one stream and namespace, as 16 bytes. */
export type Fingerprint = Buffer

export const fingerprintBytes = 16

/**
 * Of a name; cut from SHA-256, so that nobody can make two ids meet on purpose. By way of a text,
 * because a buffer of its own costs the hash as much again, and the garbage collector more.
 */
export function fingerprintOf(stream: string, { namespace, id }: Name): Fingerprint {
  const digest = hash('sha256', `${stream}\n${namespace}\n${id}`, 'binary')
  return Buffer.from(digest.slice(0, fingerprintBytes), 'binary')
}

/** Idempotency keys belong to their caller. */
export const keyName = (caller: string, key: string): Name => ({
  namespace: 'key',
  id: `${caller}\n${key}`,
})

/** Tells the same command from another: over stream, type and body, with the algorithm's tag. */
export const contentHash = (stream: string, canonicalContent: string): string =>
  `sha256:${hash('sha256', `${stream}\n${canonicalContent}`, 'base64url')}`
