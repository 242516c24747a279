import type { LedgerEvent } from '../../../events/ledger.ts'
import type { Audit } from '../audit.ts'
import type { LedgerCommand } from './commands.ts'
import type { Ledger } from './state.ts'

export const ledgerAudit: Audit<LedgerCommand, LedgerEvent, Ledger> = {
  commandOf(type, events) {
    const last = events.at(-1)
    switch (last?.type) {
      case 'LedgerCreated':
        return type === 'CreateLedger' ? { type, ...last.data } : undefined
      case 'AccountOpened':
        return type === 'OpenAccount' ? { type, ...last.data } : undefined
      case 'OverdraftSet':
        return type === 'SetOverdraft' ? setOverdraftOf(events, last.data.account) : undefined
      case 'TransactionPosted': // accounts that it opened stand before it
        return type === 'PostTransaction' ? { type, ...last.data } : undefined
      case undefined:
        return undefined
    }
  },

  *partsOf({ settings, accounts }) {
    yield ['the ledger', settings]
    yield* accounts.ownEntries()
  },

  *faultsOf(ledger) {
    for (const [asset, sum] of sumsOf(ledger)) {
      if (sum !== 0n) yield `all balances of ${asset} sum to ${sum}, not to zero`
    }
  },
}

function setOverdraftOf(events: readonly LedgerEvent[], account: string): LedgerCommand {
  const overdrafts: Record<string, string> = {}
  for (const event of events) {
    if (event.type === 'OverdraftSet') overdrafts[event.data.asset] = event.data.overdraft
  }
  return { type: 'SetOverdraft', account, overdrafts }
}

function sumsOf({ accounts }: Ledger): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const [, { balances }] of accounts.ownEntries()) {
    for (const [asset, balance] of Object.entries(balances)) {
      sums.set(asset, (sums.get(asset) ?? 0n) + balance)
    }
  }
  return sums
}
