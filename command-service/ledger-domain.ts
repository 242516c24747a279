import { type LedgerEvent, ledgerCategory, ledgerCodec } from '../events/ledger.ts'
import type { Domain } from './domain/domain.ts'
import { ledgerAudit } from './domain/ledger/audit.ts'
import type { LedgerCommand } from './domain/ledger/commands.ts'
import { ledgerDecider } from './domain/ledger/decider.ts'
import type { LedgerRejectionCode } from './domain/ledger/rejections.ts'
import { ledgerSnapshot } from './domain/ledger/snapshot.ts'
import type { Ledger } from './domain/ledger/state.ts'

const transaction = (id: string) => ({ namespace: 'transaction', id })

/** About what an account with one or two assets takes in memory, measured. */
const bytesPerAccount = 400

export const ledgerDomain: Domain<LedgerCommand, LedgerEvent, Ledger, LedgerRejectionCode> = {
  category: ledgerCategory,
  codec: ledgerCodec,
  decider: ledgerDecider,
  nameOf: (command) => (command.type === 'PostTransaction' ? transaction(command.id) : undefined),
  namesIn: (event) => (event.type === 'TransactionPosted' ? [transaction(event.data.id)] : []),
  conflict: () => 'transaction-exists',
  snapshot: ledgerSnapshot,
  audit: ledgerAudit,
  weigh: ({ accounts }) => accounts.size * bytesPerAccount,
  sources: [new URL('./domain/', import.meta.url), new URL('../events/', import.meta.url)],
}
