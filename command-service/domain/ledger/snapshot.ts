import type { SnapshotForm } from '../domain.ts'
import { writeOverdraft } from './accounts.ts'
import {
  type Account,
  emptyLedger,
  type Ledger,
  type LedgerSettings,
  type Metadata,
  parseOverdrafts,
} from './state.ts'

/** An account as a snapshot has it: its id, then balances and overdrafts as decimal text. */
type AccountLine = readonly [
  id: string,
  balances: Readonly<Record<string, string>>,
  overdrafts: Readonly<Record<string, string>>,
  metadata?: Metadata,
]

const accountsPerLine = 500

/** The first line is the settings; each other one holds up to 500 accounts. */
export const ledgerSnapshot: SnapshotForm<Ledger> = {
  *write({ settings, accounts }) {
    yield settings ?? null
    let line: AccountLine[] = []
    for (const [id, account] of accounts.ownEntries()) {
      line.push(writeAccount(id, account))
      if (line.length < accountsPerLine) continue
      yield line
      line = []
    }
    if (line.length > 0) yield line
  },

  read(lines) {
    const [settings, ...chunks] = lines
    const ledger = emptyLedger()
    for (const chunk of chunks as AccountLine[][]) {
      for (const [id, balances, overdrafts, metadata] of chunk) {
        ledger.accounts.set(id, {
          balances: mapValues(balances, BigInt),
          overdrafts: parseOverdrafts(overdrafts),
          metadata,
        })
      }
    }
    return { ...ledger, settings: (settings as LedgerSettings | null) ?? undefined }
  },
}

function writeAccount(id: string, { balances, overdrafts, metadata }: Account): AccountLine {
  const written = [id, mapValues(balances, String), mapValues(overdrafts, writeOverdraft)] as const
  return metadata ? [...written, metadata] : written
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
