import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CheckedFile, checkFile } from '../../app/import/check-file.ts'
import { readMapping } from '../../app/import/mapping.ts'

/** A folder of its own for each test, removed after it. */
export function useFolder(): {
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>
} {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evident-import-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  return {
    write: async (name, content) => {
      const path = join(folder, name)
      await writeFile(path, content)
      return path
    },
  }
}

export type AnyMapping = Readonly<Record<string, unknown>>

/** A small bank: id, account, date, amount with a sign, balance after it. */
export const plainMapping: AnyMapping = {
  ledger: 'plain',
  asset: 'EUR/2',
  date: { column: 'date', pattern: 'YYYY-MM-DD' },
  account: 'customers:{account}',
  amount: { column: 'amount', positive: 'in' },
  counterAccounts: [{ account: 'bank:cash' }],
  transaction: { id: 't-{id}' },
  openAccounts: [
    { prefix: 'customers:', overdraft: 'as-needed' },
    { prefix: 'bank:', overdraft: 'unlimited' },
  ],
  runningBalance: { column: 'balance', tolerance: '5', roundingAccount: 'bank:rounding' },
}

export const plainHeader = 'id,account,date,amount,balance\n'

export const checkText = (path: string, mapping: AnyMapping): Promise<CheckedFile> =>
  checkFile(path, readMapping(JSON.stringify(mapping)))

/** The mapping without one of its parts. */
export const without = (mapping: AnyMapping, part: string): AnyMapping =>
  Object.fromEntries(Object.entries(mapping).filter(([name]) => name !== part))
