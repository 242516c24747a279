/** The values of a row by column, and the row's fingerprint where a template asks for it. */
export interface RowValues {
  readonly fields: readonly string[]
  readonly fingerprint: () => string
}

export type Template = (row: RowValues) => string

/** `{$row}` in a template is the row's fingerprint. */
const fingerprintName = '$row'

interface Part {
  /** `undefined`: the text stands for itself. */
  readonly column?: string
  readonly text: string
}

/** The columns a template names, or what is wrong with how it is written. */
export function templateColumns(template: string): readonly string[] | string {
  const parts = partsOf(template)
  if (typeof parts === 'string') return parts
  return parts.flatMap(({ column }) =>
    column === undefined || column === fingerprintName ? [] : column,
  )
}

/** Whether a template takes the row's fingerprint. */
export const hasFingerprint = (template: string): boolean =>
  template.includes(`{${fingerprintName}}`)

/** The text of a template outside its columns. */
export function templateText(template: string): string {
  const parts = partsOf(template)
  return typeof parts === 'string' ? '' : parts.map(({ text }) => text).join('')
}

/**
 * Compiles a template for rows of these columns; `rewrite` is applied to the values, not to the
 * template's own text. Templates and columns have been checked before.
 */
export function compileTemplate(
  template: string,
  columns: readonly string[],
  rewrite: (value: string) => string = (value) => value,
): Template {
  const parts = partsOf(template)
  if (typeof parts === 'string') throw new Error(`template ${template}: ${parts}`)
  const steps = parts.map(({ column, text }): Template => {
    if (column === undefined) return () => text
    if (column === fingerprintName) return ({ fingerprint }) => fingerprint()
    const index = columns.indexOf(column)
    return ({ fields }) => rewrite(fields[index] ?? '')
  })
  const [only] = steps
  if (only && steps.length === 1) return only
  return (row) => {
    let text = ''
    for (const step of steps) text += step(row)
    return text
  }
}

/** Puts the mapping's replacements in place of characters that an address may not have. */
export function createRewrite(
  replacements: Readonly<Record<string, string>> = {},
): (value: string) => string {
  const pairs = Object.entries(replacements).sort(
    ([a], [b]) => b.length - a.length || (a < b ? -1 : 1),
  )
  if (pairs.length === 0) return (value) => value
  return (value) => {
    let text = ''
    for (let at = 0; at < value.length; ) {
      const pair = pairs.find(([from]) => value.startsWith(from, at))
      text += pair ? pair[1] : value.charAt(at)
      at += pair ? pair[0].length : 1
    }
    return text
  }
}

function partsOf(template: string): readonly Part[] | string {
  const parts: Part[] = []
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{', at)
    const stray = template.indexOf('}', at)
    if (stray !== -1 && (open === -1 || stray < open)) return 'has a } without a {'
    const end = open === -1 ? template.length : open
    if (end > at) parts.push({ text: template.slice(at, end) })
    if (open === -1) break
    const close = template.indexOf('}', open)
    const column = template.slice(open + 1, close)
    if (close === -1 || column.includes('{')) return 'has a { without a }'
    if (column === '') return 'has {} without a column’s name'
    parts.push({ column, text: '' })
    at = close + 1
  }
  return parts
}
