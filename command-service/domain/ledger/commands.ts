import { accountOpeningSchema } from '../../../events/ledger.ts'
import {
  accountIdSchema,
  idSchema,
  metadataSchema,
  overdraftsSchema,
  postingsSchema,
  referenceSchema,
} from '../../../events/shapes.ts'
import type { FromSchema, Schema } from '../../../platform/json-schema.ts'

/** A time as a client may write it; the event keeps it in UTC with milliseconds. */
export const clientTimeSchema = {
  type: 'string',
  maxLength: 35,
  pattern:
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2})$',
  description: 'RFC 3339 with seconds and an offset: `2026-01-31T09:30:00Z`. At most milliseconds.',
  examples: ['2026-01-31T09:30:00Z'],
  problem: 'invalid-time',
} as const satisfies Schema

/** No NUL, line break or other C0 control. Events may hold some, from before this was asked. */
const printable = '^[^\\u0000-\\u001f]*$'

const clientReferenceSchema = { ...referenceSchema, pattern: printable } as const satisfies Schema

const clientMetadataSchema = {
  ...metadataSchema,
  additionalProperties: {
    ...metadataSchema.additionalProperties,
    pattern: printable,
    examples: ['spring'],
  },
} as const satisfies Schema

/** What each command carries. The HTTP bodies and the lines of a bulk are these shapes. */
export const ledgerCommands = {
  CreateLedger: {
    type: 'object',
    properties: { accountOpening: accountOpeningSchema, metadata: clientMetadataSchema },
    additionalProperties: false,
  },
  OpenAccount: {
    type: 'object',
    properties: {
      account: accountIdSchema,
      metadata: clientMetadataSchema,
      overdrafts: overdraftsSchema,
    },
    required: ['account'],
    additionalProperties: false,
  },
  SetOverdraft: {
    type: 'object',
    properties: { account: accountIdSchema, overdrafts: overdraftsSchema },
    required: ['account', 'overdrafts'],
    additionalProperties: false,
  },
  PostTransaction: {
    type: 'object',
    properties: {
      effectiveAt: clientTimeSchema,
      id: idSchema,
      metadata: clientMetadataSchema,
      postings: postingsSchema,
      reference: clientReferenceSchema,
    },
    required: ['postings'],
    additionalProperties: false,
  },
} as const satisfies Record<string, Schema>

type Bodies = typeof ledgerCommands

/** A command as it is decided: its type, and what it carries. A transaction has its id by then. */
export type LedgerCommand =
  | ({ readonly type: 'CreateLedger' } & FromSchema<Bodies['CreateLedger']>)
  | ({ readonly type: 'OpenAccount' } & FromSchema<Bodies['OpenAccount']>)
  | ({ readonly type: 'SetOverdraft' } & FromSchema<Bodies['SetOverdraft']>)
  | PostTransaction

export type PostTransaction = {
  readonly type: 'PostTransaction'
  readonly id: string
} & FromSchema<Bodies['PostTransaction']>
export type OpenAccount = Extract<LedgerCommand, { type: 'OpenAccount' }>
export type SetOverdraft = Extract<LedgerCommand, { type: 'SetOverdraft' }>
export type CreateLedger = Extract<LedgerCommand, { type: 'CreateLedger' }>
