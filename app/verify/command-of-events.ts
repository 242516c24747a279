import type { LedgerCommand } from '../../command-service/domain/ledger/commands.ts'
import type { LedgerStreamEvent } from './check-ledger.ts'

/** The command that makes these events, where there is one: they say all that it said. */
export function commandOf(
  events: readonly LedgerStreamEvent[],
): LedgerCommand | 'nothing-changed' | undefined {
  const last = events.at(-1)
  const type = last?.metadata.command?.type
  switch (last?.type) {
    case 'LedgerCreated':
      return type === 'CreateLedger' ? { type, ...last.data } : undefined
    case 'AccountOpened':
      return type === 'OpenAccount' ? { type, ...last.data } : undefined
    case 'OverdraftSet':
      return type === 'SetOverdraft' ? setOverdraftOf(events, last.data.account) : undefined
    case 'TransactionPosted': // accounts that it opened stand before it
      return type === 'PostTransaction' ? { type, ...last.data } : undefined
    case 'CommandAccepted':
      return last.metadata.command?.key === undefined ? undefined : 'nothing-changed'
    case undefined:
      return undefined
  }
}

function setOverdraftOf(events: readonly LedgerStreamEvent[], account: string): LedgerCommand {
  const overdrafts: Record<string, string> = {}
  for (const event of events) {
    if (event.type === 'OverdraftSet') overdrafts[event.data.asset] = event.data.overdraft
  }
  return { type: 'SetOverdraft', account, overdrafts }
}
