import { ledgerCategory } from '../events/ledger.ts'
import { sortable } from './sortable.ts'

/**
 * Ids of the ledger's documents. They begin with the stream, and sort as lists want them: accounts
 * by address, entries by revision, months of an account and asset by date.
 */

export const ledgerStream = (ledger: string): string => `${ledgerCategory}-${ledger}`

/** The ledger of a stream of the category. */
export const ledgerOf = (stream: string): string => stream.slice(ledgerCategory.length + 1)

export const accountId = (stream: string, account: string): string => `${stream}/${account}`

export const transactionId = (stream: string, transaction: string): string =>
  `${stream}/${transaction}`

export const entryId = (
  stream: string,
  revision: bigint,
  posting: number,
  account: string,
): string => `${stream}/${sortable(revision)}/${sortable(posting)}/${account}`

/** What the ids of all months of an account and asset begin with. */
export const monthsOf = (stream: string, account: string, asset: string): string =>
  `${stream}/${account}/${asset}/`

export const monthId = (stream: string, account: string, asset: string, month: string): string =>
  monthsOf(stream, account, asset) + month

/** The parts of a month's id: the asset has one `/` of its own, stream and account have none. */
export function monthIn(id: string): { account: string; asset: string; month: string } {
  const [, account = '', code = '', decimals = '', month = ''] = id.split('/')
  return { account, asset: `${code}/${decimals}`, month }
}
