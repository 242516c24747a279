import {
  emptyLedger,
  evolveLedger,
  type Ledger,
} from '../../command-service/domain/ledger/state.ts'
import { isDomainEvent } from '../../events/codec.ts'
import { ledgerCategory, ledgerCodec } from '../../events/ledger.ts'
import { ledgerOf } from '../../projections/ledger-ids.ts'
import type { ReplayedEvent } from './replayed-events.ts'

/** What events come to: the balances of each account of each ledger. Other streams are passed over. */
export interface LedgerFold {
  add(event: ReplayedEvent): void
  lines(): Iterable<string>
}

/** From the log's start it is the state of the ledgers; from a position, what changed since. */
export function createLedgerFold(): LedgerFold {
  const ledgers = new Map<string, { state: Ledger; revision: bigint }>()
  return {
    add({ recorded }) {
      const { stream, revision } = recorded
      if (!stream.startsWith(`${ledgerCategory}-`)) return
      const event = ledgerCodec.decode(recorded)
      const before = ledgers.get(stream)?.state ?? emptyLedger()
      const state = isDomainEvent(event) ? evolveLedger(before, event) : before
      ledgers.set(stream, { state, revision })
    },
    *lines() {
      for (const [stream, { state, revision }] of ledgers) {
        for (const [account, { balances }] of state.accounts.ownEntries()) {
          const written = Object.entries(balances).map(([asset, sum]) => [asset, sum.toString()])
          yield JSON.stringify({
            ...{ ledger: ledgerOf(stream), account, revision: revision.toString() },
            balances: Object.fromEntries(written),
          })
        }
      }
    },
  }
}
