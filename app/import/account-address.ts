import { accountIdSchema } from '../../events/shapes.ts'
import { quoted, RowRefused } from './row-refused.ts'
import type { Template } from './template.ts'

const accountId = new RegExp(accountIdSchema.pattern)

/** An address, of which two different texts of the file must never become the same. */
export function createAddress(
  address: Template,
  source: Template,
  sources: Map<string, string>,
): Template {
  return (row) => {
    const text = address(row)
    const from = source(row)
    const known = sources.get(text)
    if (known === from) return text
    if (!accountId.test(text) || text.length > accountIdSchema.maxLength) {
      throw new RowRefused('account-not-valid', `${quoted(text)} is no account address`)
    }
    if (known !== undefined) {
      const detail = `${quoted(known)} and ${quoted(from)} would both become ${text}`
      throw new RowRefused('account-ambiguous', detail)
    }
    sources.set(text, from)
    return text
  }
}
