import type { FromSchema, Schema } from '../../platform/json-schema.ts'
import { checks, type Finding, type Report } from './finding.ts'

/** What a verification came to. */
export const verificationSchema = {
  type: 'object',
  properties: {
    logId: { type: 'string' },
    position: { type: 'string', description: 'Where the log ended: all of this is of then.' },
    events: { type: 'integer' },
    streams: {
      type: 'object',
      description: 'How many there are of each category: `{"ledger":2}`.',
      additionalProperties: { type: 'integer' },
      examples: [{ ledger: 2 }],
    },
    snapshots: { type: 'integer' },
    unbuilt: {
      type: 'array',
      description: 'Projections without a read model: the next start builds it. No damage.',
      items: { type: 'string' },
    },
    skipped: { type: 'integer', description: 'Events left out of a read model by decision.' },
    findings: { type: 'integer', description: 'All of them, also those that are not listed.' },
    listed: {
      type: 'array',
      description: 'The first of them, exactly.',
      items: {
        type: 'object',
        properties: {
          check: { type: 'string', enum: checks },
          at: {
            type: 'string',
            description: 'A file, a stream, `stream@revision` or `build collection/id`.',
          },
          detail: { type: 'string' },
        },
        required: ['check', 'at', 'detail'],
        additionalProperties: false,
      },
    },
    seconds: { type: 'number' },
  },
  required: [
    ...['logId', 'position', 'events', 'streams', 'snapshots', 'unbuilt', 'skipped'],
    ...['findings', 'listed', 'seconds'],
  ],
  additionalProperties: false,
} as const satisfies Schema

export type Verification = FromSchema<typeof verificationSchema>

/** What is under way: SQLite's own check, the log, a build of each read model, comparing them. */
export const steps = ['files', 'log', 'read-models', 'comparison'] as const

export interface VerifyProgress {
  readonly step: (typeof steps)[number]
  /** How far it is in the log, where it reads that. */
  readonly position?: string
  readonly end?: string
}

/** Findings that are kept: a log that is wholly wrong must not fill the memory. */
export const maxListedFindings = 10_000
export const maxListedCharacters = 4_000_000

export interface Findings {
  readonly report: Report
  count(): number
  readonly listed: Finding[]
}

export function collectFindings(): Findings {
  const listed: Finding[] = []
  let count = 0
  let characters = 0
  return {
    report(finding) {
      count += 1
      characters += finding.at.length + finding.detail.length
      const hasRoom = listed.length < maxListedFindings && characters <= maxListedCharacters
      if (listed.length === 0 || hasRoom) listed.push(finding)
    },
    count: () => count,
    listed,
  }
}
