/** Something that is not as it must be: what was checked, where, and the exact difference. */
export interface Finding {
  readonly check: Check
  /** A file, `stream@revision`, or `build collection/id`. */
  readonly at: string
  readonly detail: string
}

export type Check =
  | 'integrity'
  | 'readable'
  | 'canonical'
  | 'dense'
  | 'known'
  | 'ordered-time'
  | 'unique-id'
  | 'lawful'
  | 'zero-sum'
  | 'snapshot'
  | 'read-model'
  | 'balance'

export type Report = (finding: Finding) => void
