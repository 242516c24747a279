import { accountOpeningSchema } from '../events/ledger.ts'
import {
  accountIdSchema,
  amountSchema,
  assetSchema,
  balanceSchema,
  idSchema,
  ledgerIdSchema,
  metadataSchema,
  overdraftsSchema,
  postingsSchema,
  referenceSchema,
  timestampSchema,
} from '../events/shapes.ts'
import type { Schema } from '../platform/json-schema.ts'
import { revisionSchema } from './parameters.ts'

/** What reads answer. The bodies are the documents of the read models, as they are stored. */

const count = { type: 'integer', minimum: 0 } as const

/** A sum of amounts, zero included. */
const sumSchema = { type: 'string', pattern: '^(0|[1-9][0-9]*)$', examples: ['1050'] } as const

export const ledgerSchema = {
  type: 'object',
  properties: {
    ledger: ledgerIdSchema,
    accountOpening: accountOpeningSchema,
    metadata: metadataSchema,
    createdAt: timestampSchema,
    accounts: count,
    transactions: count,
    assets: {
      type: 'object',
      propertyNames: assetSchema,
      additionalProperties: {
        type: 'object',
        properties: { volume: sumSchema, postings: count },
        required: ['volume', 'postings'],
        additionalProperties: false,
      },
      examples: [{ 'CZK/2': { volume: '3000000', postings: 1 } }],
    },
    changedAt: timestampSchema,
    changedRevision: revisionSchema,
  },
  required: ['ledger', 'accountOpening', 'createdAt', 'accounts', 'transactions', 'assets'],
  additionalProperties: false,
} as const satisfies Schema

export const accountSchema = {
  type: 'object',
  properties: {
    ledger: ledgerIdSchema,
    account: accountIdSchema,
    status: { type: 'string', enum: ['open'] },
    overdrafts: overdraftsSchema,
    metadata: metadataSchema,
    openedAt: timestampSchema,
    openedRevision: revisionSchema,
    balances: {
      type: 'object',
      propertyNames: assetSchema,
      additionalProperties: {
        type: 'object',
        properties: {
          balance: balanceSchema,
          available: balanceSchema,
          held: balanceSchema,
          in: sumSchema,
          out: sumSchema,
          count,
          changedAt: timestampSchema,
          changedRevision: revisionSchema,
        },
        required: ['balance', 'available', 'held', 'in', 'out', 'count'],
        additionalProperties: false,
      },
      examples: [
        {
          'CZK/2': {
            ...{ balance: '1050', available: '1050', held: '0', in: '3000000', out: '2998950' },
            ...{ count: 2, changedAt: '2026-01-31T09:30:00.000Z', changedRevision: '3' },
          },
        },
      ],
    },
  },
  required: ['ledger', 'account', 'status', 'overdrafts', 'metadata', 'openedAt', 'balances'],
  additionalProperties: false,
} as const satisfies Schema

export const accountAtSchema = {
  type: 'object',
  description: 'The balances of an account right after a revision, which is named.',
  properties: {
    ledger: ledgerIdSchema,
    account: accountIdSchema,
    revision: revisionSchema,
    balances: {
      type: 'object',
      propertyNames: assetSchema,
      additionalProperties: {
        type: 'object',
        properties: { balance: balanceSchema },
        required: ['balance'],
        additionalProperties: false,
      },
      examples: [{ 'CZK/2': { balance: '1050' } }],
    },
  },
  required: ['ledger', 'account', 'revision', 'balances'],
  additionalProperties: false,
} as const satisfies Schema

export const entrySchema = {
  type: 'object',
  properties: {
    ledger: ledgerIdSchema,
    account: accountIdSchema,
    asset: assetSchema,
    direction: { type: 'string', enum: ['in', 'out'] },
    amount: amountSchema,
    change: { ...balanceSchema, description: 'The amount with its sign.' },
    balance: { ...balanceSchema, description: 'After the whole transaction, as recorded.' },
    counterparty: accountIdSchema,
    transaction: idSchema,
    posting: count,
    reference: referenceSchema,
    effectiveAt: timestampSchema,
    recordedAt: timestampSchema,
    revision: revisionSchema,
  },
  required: ['ledger', 'account', 'asset', 'direction', 'amount', 'balance', 'transaction'],
  additionalProperties: false,
} as const satisfies Schema

export const transactionSchema = {
  type: 'object',
  properties: {
    ledger: ledgerIdSchema,
    id: idSchema,
    revision: revisionSchema,
    effectiveAt: timestampSchema,
    recordedAt: timestampSchema,
    reference: referenceSchema,
    metadata: metadataSchema,
    postings: postingsSchema,
  },
  required: ['ledger', 'id', 'revision', 'effectiveAt', 'recordedAt', 'metadata', 'postings'],
  additionalProperties: false,
} as const satisfies Schema

export const eventSchema = {
  type: 'object',
  description: 'An event as the log has it. `data` and `metadata` are as stored, of their version.',
  properties: {
    stream: { type: 'string' },
    revision: revisionSchema,
    position: { type: 'string' },
    id: { type: 'string' },
    type: { type: 'string' },
    data: { type: 'object' },
    metadata: { type: 'object' },
  },
  required: ['stream', 'revision', 'position', 'id', 'type', 'data', 'metadata'],
  additionalProperties: false,
} as const satisfies Schema

const totalsSchema = {
  type: 'object',
  propertyNames: assetSchema,
  additionalProperties: {
    type: 'object',
    properties: {
      positive: sumSchema,
      negative: { type: 'string', pattern: '^(0|-[1-9][0-9]*)$', examples: ['-1050'] },
      sum: { type: 'string', pattern: '^(0|-?[1-9][0-9]*)$', examples: ['0'] },
      accounts: count,
    },
    required: ['positive', 'negative', 'sum', 'accounts'],
    additionalProperties: false,
  },
  examples: [{ 'CZK/2': { positive: '1050', negative: '-1050', sum: '0', accounts: 2 } }],
} as const satisfies Schema

export const trialBalanceSchema = {
  type: 'object',
  properties: {
    ledger: ledgerIdSchema,
    revision: { ...revisionSchema, description: 'Of which all the balances are.' },
    total: { ...totalsSchema, description: 'Of a whole ledger every `sum` is 0.' },
    byPrefix: {
      type: 'object',
      additionalProperties: totalsSchema,
      examples: [{ 'customers:': totalsSchema.examples[0] }],
    },
  },
  required: ['ledger', 'revision', 'total'],
  additionalProperties: false,
} as const satisfies Schema

export const volumesSchema = {
  type: 'object',
  properties: {
    ledger: ledgerIdSchema,
    days: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          day: { type: 'string' },
          asset: assetSchema,
          in: sumSchema,
          out: sumSchema,
          count,
        },
        required: ['day', 'asset', 'in', 'out', 'count'],
        additionalProperties: false,
      },
    },
  },
  required: ['ledger', 'days'],
  additionalProperties: false,
} as const satisfies Schema
