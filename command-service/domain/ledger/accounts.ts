import type { LedgerEvent } from '../../../events/ledger.ts'
import type { CreateLedger, OpenAccount, SetOverdraft } from './commands.ts'
import { type LedgerRejection, refuse } from './rejections.ts'
import {
  type Account,
  type Ledger,
  type Metadata,
  type Overdraft,
  parseOverdrafts,
} from './state.ts'

type Decision = readonly LedgerEvent[] | LedgerRejection

export function createLedger(command: CreateLedger, { settings }: Ledger): Decision {
  const { accountOpening = 'explicit', metadata } = command
  if (settings) {
    const same =
      settings.accountOpening === accountOpening && sameMetadata(settings.metadata, metadata)
    return same ? [] : refuse('ledger-exists', 'the ledger exists with other settings')
  }
  return [{ type: 'LedgerCreated', data: { accountOpening, ...(metadata && { metadata }) } }]
}

/** Order of the checks: the ledger is there, the account is not (or is just the same). */
export function openAccount(command: OpenAccount, { settings, accounts }: Ledger): Decision {
  const { account: id, metadata, overdrafts } = command
  if (!settings) return refuse('ledger-not-found', 'the ledger was never created')
  const account = accounts.get(id)
  if (account) {
    const same =
      sameMetadata(account.metadata, metadata) &&
      sameOverdrafts(account.overdrafts, parseOverdrafts(overdrafts ?? {}))
    return same ? [] : refuse('account-exists', `${id} is open with other content`)
  }
  const data = { account: id, ...(metadata && { metadata }), ...(overdrafts && { overdrafts }) }
  return [{ type: 'AccountOpened', data }]
}

/** Order of the checks: the ledger, the account. One event for each asset whose overdraft changes. */
export function setOverdraft(command: SetOverdraft, { settings, accounts }: Ledger): Decision {
  if (!settings) return refuse('ledger-not-found', 'the ledger was never created')
  const account = accounts.get(command.account)
  if (!account) return refuse('account-not-found', `${command.account} is not open`)
  return Object.entries(command.overdrafts)
    .filter(([asset, overdraft]) => writeOverdraft(account.overdrafts[asset]) !== overdraft)
    .map(([asset, overdraft]) => ({
      type: 'OverdraftSet',
      data: { account: command.account, asset, overdraft },
    }))
}

export const writeOverdraft = (overdraft: Overdraft | undefined): string =>
  overdraft === undefined ? 'none' : overdraft.toString()

function sameOverdrafts(a: Account['overdrafts'], b: Account['overdrafts']): boolean {
  const assets = Object.keys({ ...a, ...b })
  return assets.every((asset) => a[asset] === b[asset])
}

function sameMetadata(a: Metadata = {}, b: Metadata = {}): boolean {
  return Object.keys({ ...a, ...b }).every((key) => a[key] === b[key])
}
