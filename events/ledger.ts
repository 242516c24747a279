import type { FromSchema, Schema } from '../platform/json-schema.ts'
import { createCodec, type EventOf } from './codec.ts'
import {
  accountIdSchema,
  assetSchema,
  idSchema,
  metadataSchema,
  overdraftSchema,
  overdraftsSchema,
  postingsSchema,
  referenceSchema,
  timestampSchema,
} from './shapes.ts'

/** Facts of one ledger: the stream `ledger-<id>`. */
export const ledgerCategory = 'ledger'

export const accountOpeningSchema = {
  type: 'string',
  enum: ['explicit', 'on-first-use'],
  description:
    'Whether accounts are opened by command only, or also by the first posting that names them.',
  examples: ['on-first-use'],
} as const satisfies Schema

export const ledgerEvents = {
  LedgerCreated: {
    version: 1,
    schema: {
      type: 'object',
      properties: { accountOpening: accountOpeningSchema, metadata: metadataSchema },
      required: ['accountOpening'],
      additionalProperties: false,
    },
  },
  AccountOpened: {
    version: 1,
    schema: {
      type: 'object',
      properties: {
        account: accountIdSchema,
        metadata: metadataSchema,
        overdrafts: overdraftsSchema,
      },
      required: ['account'],
      additionalProperties: false,
    },
  },
  OverdraftSet: {
    version: 1,
    schema: {
      type: 'object',
      properties: { account: accountIdSchema, asset: assetSchema, overdraft: overdraftSchema },
      required: ['account', 'asset', 'overdraft'],
      additionalProperties: false,
    },
  },
  TransactionPosted: {
    version: 1,
    schema: {
      type: 'object',
      properties: {
        effectiveAt: timestampSchema,
        id: idSchema,
        metadata: metadataSchema,
        postings: postingsSchema,
        reference: referenceSchema,
      },
      required: ['effectiveAt', 'id', 'postings'],
      additionalProperties: false,
    },
  },
} as const

export type LedgerEvent = EventOf<typeof ledgerEvents>
export const ledgerCodec = createCodec<LedgerEvent>(ledgerEvents)

export type TransactionPosted = Extract<LedgerEvent, { type: 'TransactionPosted' }>
export type Posting = TransactionPosted['data']['postings'][number]
export type AccountOpening = FromSchema<typeof accountOpeningSchema>
export type Overdrafts = FromSchema<typeof overdraftsSchema>
