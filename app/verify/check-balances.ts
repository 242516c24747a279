import type { Ledger } from '../../command-service/domain/ledger/state.ts'
import type { Entry } from '../../projections/account-entries.ts'
import { type Account, accounts } from '../../projections/accounts.ts'
import { allDocuments } from '../../projections/all-pages.ts'
import { accountId, ledgerOf } from '../../projections/ledger-ids.ts'
import { byId } from '../../projections/projection.ts'
import type { Build } from '../../projections/read-model-store.ts'
import type { DocumentsToCheck } from './check-read-models.ts'

const pageSize = 1_000

/** The balances of the read model are those of the log, and each is the fold of its entries. */
export async function checkBalances({
  projection,
  build,
  states,
  report,
}: DocumentsToCheck<Ledger>): Promise<void> {
  if (projection !== accounts.name) return
  for (const [stream, state] of states) {
    const missing = new Set([...state.accounts.ownEntries()].map(([account]) => account))
    for await (const { body } of allDocuments(build, {
      limit: pageSize,
      collection: 'accounts',
      index: byId,
      equals: [],
      prefix: accountId(stream, ''),
    })) {
      const { account, balances } = JSON.parse(body) as Account
      const at = `${build.name} accounts/${accountId(stream, account)}`
      missing.delete(account)
      const ofLog = new Map(Object.entries(state.accounts.get(account)?.balances ?? {}))
      const ofEntries = await sumEntries(build, stream, account)
      const assets = new Set([...Object.keys(balances), ...ofLog.keys(), ...ofEntries.keys()])
      for (const asset of assets) {
        const balance = BigInt(balances[asset]?.balance ?? 0)
        const logged = ofLog.get(asset) ?? 0n
        const entered = ofEntries.get(asset) ?? 0n
        if (balance === logged && balance === entered) continue
        const detail = `${asset}: the balance is ${balance}, the log makes ${logged}, its entries ${entered}`
        report({ check: 'balance', at, detail })
      }
    }
    for (const account of missing) {
      const at = `${build.name} accounts/${accountId(stream, account)}`
      report({ check: 'balance', at, detail: 'the log has the account, the read model has not' })
    }
  }
}

async function sumEntries(
  build: Pick<Build, 'find'>,
  stream: string,
  account: string,
): Promise<ReadonlyMap<string, bigint>> {
  const sums = new Map<string, bigint>()
  for await (const { body } of allDocuments(build, {
    limit: pageSize,
    collection: 'entries',
    index: 'by-account',
    equals: [ledgerOf(stream), account],
  })) {
    const { asset, change } = JSON.parse(body) as Entry
    sums.set(asset, (sums.get(asset) ?? 0n) + BigInt(change))
  }
  return sums
}
