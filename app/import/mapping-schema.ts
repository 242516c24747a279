import { assetSchema, ledgerIdSchema, metadataSchema } from '../../events/shapes.ts'
import type { FromSchema, Schema } from '../../platform/json-schema.ts'

const columnSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 256,
  description: 'The name of a column.',
} as const satisfies Schema

const templateSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 512,
  description: 'Text in which `{column}` stands for the row’s value: `customers:{account_id}`.',
} as const satisfies Schema

const valuesSchema = {
  type: 'array',
  items: { type: 'string', maxLength: 1024 },
  minItems: 1,
  maxItems: 1000,
} as const satisfies Schema

const whenSchema = {
  type: 'object',
  description:
    'Holds for a row whose columns all have one of the values listed, or are "empty" or "not-empty".',
  minProperties: 1,
  additionalProperties: {
    anyOf: [valuesSchema, { type: 'string', enum: ['empty', 'not-empty'] }],
  },
} as const satisfies Schema

const fileSchema = {
  type: 'object',
  description: 'How the file is written.',
  properties: {
    encoding: {
      type: 'string',
      maxLength: 64,
      description: 'Any encoding of the WHATWG list, such as utf-8 (the default), windows-1252.',
    },
    separator: { type: 'string', minLength: 1, maxLength: 1, description: 'Default `,`.' },
    quote: { type: 'string', maxLength: 1, description: 'Default `"`; empty: nothing is quoted.' },
    skipLines: {
      type: 'integer',
      minimum: 0,
      maximum: 1000,
      description: 'Lines above the header, or above the first row, that are not rows.',
    },
    columns: {
      type: 'array',
      items: columnSchema,
      minItems: 1,
      maxItems: 1000,
      description: 'The columns’ names, where the file has no header row.',
    },
    trim: { type: 'boolean', description: 'Drop white space around every value.' },
    lastLineEnd: {
      type: 'string',
      enum: ['required', 'optional'],
      description:
        'A file whose last row has no line end may have been cut there, so it is refused unless this says `optional`.',
    },
  },
  additionalProperties: false,
} as const satisfies Schema

const numbersSchema = {
  type: 'object',
  description: 'How amounts are written. By default `1234.56`.',
  properties: {
    decimal: { type: 'string', enum: ['.', ','] },
    thousands: { type: 'string', enum: ['', '.', ',', ' ', "'", '’', '\u00a0', '\u202f'] },
  },
  additionalProperties: false,
} as const satisfies Schema

const dateSchema = {
  type: 'object',
  description: 'When a row counts.',
  properties: {
    column: columnSchema,
    pattern: {
      type: 'string',
      minLength: 4,
      maxLength: 64,
      description: 'Of YYYY, YY, MM, M, DD, D, HH, mm, ss and SSS; all else stands for itself.',
    },
    yearsFrom: {
      type: 'integer',
      minimum: 0,
      maximum: 9900,
      description:
        'With YY: the first of the hundred years meant. 1900 reads 93 as 1993; 1970 reads 69 as 2069.',
    },
    utcOffset: {
      type: 'string',
      pattern: '^[+-](0[0-9]|1[0-4]):[0-5][0-9]$',
      description: 'Of the times in the file, such as `+01:00`; UTC by default.',
    },
  },
  required: ['column', 'pattern'],
  additionalProperties: false,
} as const satisfies Schema

const zeroSchema = {
  type: 'string',
  enum: ['refuse', 'skip'],
  description: 'A row that moves nothing is refused (the default), or counted and left out.',
} as const satisfies Schema

const amountSchema = {
  type: 'object',
  description:
    'Either `column` with `direction`, or `column` with `positive`, or `inColumn` with `outColumn`.',
  properties: {
    column: columnSchema,
    direction: {
      type: 'object',
      description: 'The column whose values say which way an unsigned amount goes.',
      properties: { column: columnSchema, in: valuesSchema, out: valuesSchema },
      required: ['column', 'in', 'out'],
      additionalProperties: false,
    },
    positive: {
      type: 'string',
      enum: ['in', 'out'],
      description: 'The amount has a sign: which way a positive one goes.',
    },
    inColumn: columnSchema,
    outColumn: columnSchema,
    zero: zeroSchema,
  },
  additionalProperties: false,
} as const satisfies Schema

const counterAccountsSchema = {
  type: 'array',
  description: 'The account on the other side: the first rule that holds for the row.',
  items: {
    type: 'object',
    properties: { when: whenSchema, account: templateSchema },
    required: ['account'],
    additionalProperties: false,
  },
  minItems: 1,
  maxItems: 200,
} as const satisfies Schema

const openAccountsSchema = {
  type: 'array',
  description: 'How accounts are opened: the rule with the longest prefix. Others: no overdraft.',
  items: {
    type: 'object',
    properties: {
      prefix: { type: 'string', minLength: 1, maxLength: 256 },
      overdraft: {
        type: 'string',
        pattern: '^(none|unlimited|as-needed|[1-9][0-9]{0,37})$',
        description:
          'none, unlimited, a limit in the smallest unit, or as-needed: as far as this file goes below zero, and no further.',
      },
    },
    required: ['prefix', 'overdraft'],
    additionalProperties: false,
  },
  maxItems: 200,
} as const satisfies Schema

const runningBalanceSchema = {
  type: 'object',
  description: 'The column with the account’s balance after the row. Every row is checked.',
  properties: {
    column: columnSchema,
    tolerance: {
      type: 'string',
      pattern: '^(0|[1-9][0-9]{0,11})$',
      description: 'The smallest units a row may differ by, as digits. Default 0.',
    },
    roundingAccount: {
      type: 'string',
      maxLength: 256,
      description: 'Where a difference within the tolerance is booked.',
    },
    openingAccount: {
      type: 'string',
      maxLength: 256,
      description:
        'Where an account’s balance before its first row comes from. Without it every account starts at zero.',
    },
  },
  required: ['column'],
  additionalProperties: false,
} as const satisfies Schema

/** How a CSV becomes transactions. `mapping.schema.json` beside this file is this literal, for editors. */
export const mappingSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Evident import mapping',
  type: 'object',
  properties: {
    $schema: { type: 'string', maxLength: 1024 },
    description: { type: 'string', maxLength: 4096 },
    ledger: ledgerIdSchema,
    file: fileSchema,
    numbers: numbersSchema,
    asset: {
      ...templateSchema,
      description: `An asset, \`CZK/2\`, or a template of one, \`{currency}/2\`. ${assetSchema.description}`,
    },
    date: dateSchema,
    account: templateSchema,
    amount: amountSchema,
    counterAccounts: counterAccountsSchema,
    skipRows: {
      type: 'array',
      items: whenSchema,
      maxItems: 200,
      description: 'Rows that are no movements, such as pending ones: counted and left out.',
    },
    transaction: {
      type: 'object',
      properties: {
        id: {
          ...templateSchema,
          description:
            'The transaction’s id. `{$row}` stands for a fingerprint of the whole row, numbered where rows are equal.',
        },
        reference: templateSchema,
        metadata: {
          type: 'object',
          propertyNames: metadataSchema.propertyNames,
          maxProperties: metadataSchema.maxProperties,
          additionalProperties: templateSchema,
          description: 'Templates by key; an empty value is left out. No personal data.',
        },
      },
      required: ['id'],
      additionalProperties: false,
    },
    replaceCharacters: {
      type: 'object',
      propertyNames: { type: 'string', minLength: 1, maxLength: 8 },
      additionalProperties: { type: 'string', maxLength: 8 },
      maxProperties: 200,
      description:
        'What stands in ids and account addresses for characters that are not allowed there: `{" ": "-"}`.',
    },
    openAccounts: openAccountsSchema,
    runningBalance: runningBalanceSchema,
  },
  required: ['ledger', 'asset', 'date', 'account', 'amount', 'counterAccounts', 'transaction'],
  additionalProperties: false,
} as const satisfies Schema

export type Mapping = FromSchema<typeof mappingSchema>
export type When = Readonly<Record<string, readonly string[] | 'empty' | 'not-empty'>>
