/** Something that is not as it must be: what was checked, where, and the exact difference. */
export interface Finding {
  readonly check: Check
  /** A file, `stream@revision`, or `build collection/id`. */
  readonly at: string
  readonly detail: string
}

export const checks = [
  'integrity',
  'readable',
  'canonical',
  'dense',
  'known',
  'ordered-time',
  'unique-id',
  'lawful',
  'invariant',
  'snapshot',
  'read-model',
  'parked',
  'balance',
] as const

export type Check = (typeof checks)[number]

export type Report = (finding: Finding) => void
