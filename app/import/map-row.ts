import { assetSchema, idSchema, metadataSchema, referenceSchema } from '../../events/shapes.ts'
import { createAddress } from './account-address.ts'
import { createReadDate } from './date-pattern.ts'
import type { Mapping, When } from './mapping-schema.ts'
import type { Movement } from './movement.ts'
import { createReadAmount, createReadBalance } from './read-amount.ts'
import type { CsvRow } from './read-csv.ts'
import { createFingerprint } from './row-fingerprint.ts'
import type { RowProblem } from './row-problem.ts'
import { quoted, RowRefused } from './row-refused.ts'
import { compileTemplate, createRewrite, type RowValues, type Template } from './template.ts'

/** A row becomes a movement, is left out by a rule of the mapping, or cannot be read. */
export type MappedRow =
  | { readonly movement: Movement }
  | { readonly skipped: 'by-rule' | 'zero' }
  | { readonly problem: RowProblem }

export type MapRow = (row: CsvRow) => MappedRow

const assetId = new RegExp(assetSchema.pattern)
const transactionId = new RegExp(idSchema.pattern)
const maxMetadataLength = metadataSchema.additionalProperties.maxLength

/** Compiles a checked mapping for a file of these columns. Rows are to be mapped in the file's order. */
export function createMapRow(mapping: Mapping, columns: readonly string[]): MapRow {
  const rewrite = createRewrite(mapping.replaceCharacters)
  const address = (template: string): Template =>
    createAddress(
      compileTemplate(template, columns, rewrite),
      compileTemplate(template, columns),
      addressSources,
    )
  const addressSources = new Map<string, string>()
  const account = address(mapping.account)
  const counterRules = mapping.counterAccounts.map((rule) => ({
    holds: createWhen(rule.when ?? {}, columns),
    account: address(rule.account),
  }))
  const asset = compileTemplate(mapping.asset, columns)
  const id = compileTemplate(mapping.transaction.id, columns, rewrite)
  const reference = compileTemplate(mapping.transaction.reference ?? ' ', columns)
  const metadata = Object.entries(mapping.transaction.metadata ?? {}).map(
    ([key, template]) => [key, compileTemplate(template, columns)] as const,
  )
  const skipRules = (mapping.skipRows ?? []).map((when) => createWhen(when, columns))
  const readDate = createReadDate(mapping.date)
  const dateColumn = columns.indexOf(mapping.date.column)
  const readAmount = createReadAmount(mapping, columns)
  const readBalance = createReadBalance(mapping, columns)
  const fingerprint = createFingerprint()

  const movementOf = ({ line, fields }: CsvRow): MappedRow => {
    if (fields.length !== columns.length) {
      const code = fields.length < columns.length ? 'too-few-fields' : 'too-many-fields'
      throw new RowRefused(code, `has ${fields.length} fields, the header ${columns.length}`)
    }
    const row: RowValues = { fields, fingerprint: () => fingerprint(fields) }
    const idText = id(row) // also of a row that is left out: fingerprints count equal rows
    if (skipRules.some((holds) => holds(row))) return { skipped: 'by-rule' }

    const date = readDate(fields[dateColumn] ?? '')
    if (!date) {
      const detail = `${quoted(fields[dateColumn])} is no date of the form ${mapping.date.pattern}`
      throw new RowRefused('date-not-valid', detail)
    }
    const assetText = asset(row)
    if (!assetId.test(assetText)) {
      throw new RowRefused('asset-not-valid', `${quoted(assetText)} is no asset`)
    }
    const decimals = Number(assetText.slice(assetText.indexOf('/') + 1))
    const amount = readAmount(fields, decimals)
    const balance = readBalance(fields, decimals)
    const rule = counterRules.find(({ holds }) => holds(row))
    if (!rule) {
      throw new RowRefused('counter-account-missing', 'no rule of counterAccounts holds for it')
    }
    const [own, counter] = [account(row), rule.account(row)]
    if (own === counter) throw new RowRefused('same-account', `${own} is on both sides`)
    if (!transactionId.test(idText)) {
      throw new RowRefused('id-not-valid', `${quoted(idText)} is no id of a transaction`)
    }
    if (amount === 0n && balance === undefined) return { skipped: 'zero' }
    const referenceText = reference(row).trim()
    if (referenceText.length > referenceSchema.maxLength) {
      const detail = `is longer than ${referenceSchema.maxLength} characters`
      throw new RowRefused('reference-not-valid', detail)
    }
    return {
      movement: {
        line,
        id: idText,
        account: own,
        counterAccount: counter,
        asset: assetText,
        amount,
        balance,
        day: date.day,
        effectiveAt: date.at,
        reference: referenceText === '' ? undefined : referenceText,
        metadata: metadataOf(metadata, row),
      },
    }
  }

  return (row) => {
    try {
      return movementOf(row)
    } catch (error) {
      if (!(error instanceof RowRefused)) throw error
      return { problem: { line: row.line, code: error.code, detail: error.message } }
    }
  }
}

function createWhen(when: When, columns: readonly string[]): (row: RowValues) => boolean {
  const tests = Object.entries(when).map(([column, condition]) => {
    const index = columns.indexOf(column)
    if (condition === 'empty') return ({ fields }: RowValues) => fields[index] === ''
    if (condition === 'not-empty') return ({ fields }: RowValues) => fields[index] !== ''
    const values = new Set(condition)
    return ({ fields }: RowValues) => values.has(fields[index] ?? '')
  })
  return (row) => tests.every((test) => test(row))
}

function metadataOf(
  templates: readonly (readonly [key: string, template: Template])[],
  row: RowValues,
): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = {}
  for (const [key, template] of templates) {
    const value = template(row)
    if (value === '') continue
    if (value.length > maxMetadataLength) {
      throw new RowRefused('metadata-not-valid', `${key} is longer than ${maxMetadataLength}`)
    }
    metadata[key] = value
  }
  return metadata
}
