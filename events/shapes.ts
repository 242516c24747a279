import type { Schema } from '../platform/json-schema.ts'

/** The ledger's smallest shapes, quoted by the events, the commands and the API's description. */

export const ledgerIdSchema = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'Lower-case letters, digits and `-`, at most 63 characters.',
  examples: ['main'],
  problem: 'invalid-ledger-id',
} as const satisfies Schema

export const accountIdSchema = {
  type: 'string',
  maxLength: 256,
  pattern: '^[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)*$',
  description:
    'An address: segments of letters, digits, `_` and `-`, joined by `:`, such as `customers:2378`.',
  examples: ['bank'],
  problem: 'invalid-account-id',
} as const satisfies Schema

/** The caller's name of a transaction, also of a command (an idempotency key). */
export const idSchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
  description: 'Letters, digits, `.`, `_`, `:` and `-`, at most 128 characters.',
  examples: ['order-1001'],
  problem: 'invalid-id',
} as const satisfies Schema

export const assetSchema = {
  type: 'string',
  pattern: '^[A-Z][A-Z0-9]{0,15}/(0|[1-9]|[12][0-9]|3[0-8])$',
  description: 'A code and the number of decimal places of its smallest unit: `CZK/2`, `JPY/0`.',
  examples: ['CZK/2'],
  problem: 'invalid-asset',
} as const satisfies Schema

export const amountSchema = {
  type: 'string',
  pattern: '^[1-9][0-9]{0,37}$',
  description: 'A positive whole number of the smallest unit, as decimal digits: `"1050"`.',
  examples: ['1050'],
  problem: 'invalid-amount',
} as const satisfies Schema

export const balanceSchema = {
  type: 'string',
  pattern: '^(0|-?[1-9][0-9]{0,37})$',
  description: 'A whole number of the smallest unit, as decimal digits, negative below zero.',
  examples: ['1050'],
} as const satisfies Schema

export const overdraftSchema = {
  type: 'string',
  pattern: '^(none|unlimited|[1-9][0-9]{0,37})$',
  description: 'How far a balance may go below zero: `none`, an amount, or `unlimited`.',
  examples: ['unlimited'],
  problem: 'invalid-overdraft',
} as const satisfies Schema

export const overdraftsSchema = {
  type: 'object',
  propertyNames: assetSchema,
  maxProperties: 64,
  additionalProperties: overdraftSchema,
  description: 'An overdraft for each asset; an asset that is not named has none.',
  examples: [{ 'CZK/2': 'unlimited' }],
  problem: 'invalid-overdraft',
} as const satisfies Schema

export const referenceSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 256,
  description: 'What the transaction refers to outside, such as an invoice number.',
  examples: ['invoice 2026-17'],
  problem: 'invalid-reference',
} as const satisfies Schema

export const metadataSchema = {
  type: 'object',
  propertyNames: { type: 'string', pattern: '^[A-Za-z0-9_.-]{1,64}$', problem: 'invalid-metadata' },
  maxProperties: 32,
  additionalProperties: { type: 'string', maxLength: 1024, problem: 'invalid-metadata' },
  description: 'Texts by key. What is logged is for ever: no personal data.',
  examples: [{ channel: 'web' }],
  problem: 'invalid-metadata',
} as const satisfies Schema

/** The one form of a time inside an event: UTC, milliseconds. */
export const timestampSchema = {
  type: 'string',
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$',
  examples: ['2026-01-31T09:30:00.000Z'],
  problem: 'invalid-time',
} as const satisfies Schema

export const maxPostings = 1_000

export const postingSchema = {
  type: 'object',
  properties: {
    amount: amountSchema,
    asset: assetSchema,
    from: accountIdSchema,
    to: accountIdSchema,
  },
  required: ['amount', 'asset', 'from', 'to'],
  additionalProperties: false,
  description: 'One move of one asset between two accounts.',
  examples: [{ amount: '1050', asset: 'CZK/2', from: 'bank', to: 'customers:ann' }],
} as const satisfies Schema

export const postingsSchema = {
  type: 'array',
  items: postingSchema,
  minItems: 1,
  maxItems: maxPostings,
  examples: [postingSchema.examples],
  problem: 'invalid-postings',
} as const satisfies Schema
