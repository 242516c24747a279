import type { LedgerEvent } from '../../../events/ledger.ts'
import type { Decider } from '../decider.ts'
import { createLedger, openAccount, setOverdraft } from './accounts.ts'
import type { LedgerCommand } from './commands.ts'
import type { LedgerRejectionCode } from './rejections.ts'
import { emptyLedger, evolveLedger, type Ledger } from './state.ts'
import { postTransaction } from './transactions.ts'

/** The rules of a ledger. */
export const ledgerDecider: Decider<LedgerCommand, LedgerEvent, Ledger, LedgerRejectionCode> = {
  initialState: emptyLedger,
  decide(command, ledger, { now }) {
    switch (command.type) {
      case 'CreateLedger':
        return createLedger(command, ledger)
      case 'OpenAccount':
        return openAccount(command, ledger)
      case 'SetOverdraft':
        return setOverdraft(command, ledger)
      case 'PostTransaction':
        return postTransaction(command, ledger, now)
    }
  },
  evolve: evolveLedger,
  layers: {
    layer: (ledger) => ({ ...ledger, accounts: ledger.accounts.layer() }),
    merge: (ledger, base) => ({ ...ledger, accounts: ledger.accounts.mergeInto(base.accounts) }),
  },
}
