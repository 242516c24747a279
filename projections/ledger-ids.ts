import { ledgerCategory } from '../events/ledger.ts'
import { sortable } from './sortable.ts'

/**
 * Ids of the ledger's documents. They begin with the stream, and sort as lists want them: accounts
 * by address, entries of an account by revision, days of an account and asset by date.
 */

export const ledgerStream = (ledger: string): string => `${ledgerCategory}-${ledger}`

/** The ledger of a stream of the category. */
export const ledgerOf = (stream: string): string => stream.slice(ledgerCategory.length + 1)

export const accountId = (stream: string, account: string): string => `${stream}/${account}`

export const transactionId = (stream: string, transaction: string): string =>
  `${stream}/${transaction}`

/** What the ids of all entries of an account begin with. */
export const entriesOf = (stream: string, account: string): string => `${stream}/${account}/`

/** What the ids of an account's entries of one revision begin with. */
export const entriesAt = (stream: string, account: string, revision: bigint): string =>
  `${entriesOf(stream, account)}${sortable(revision)}/`

export const entryId = (
  stream: string,
  account: string,
  revision: bigint,
  posting: number,
): string => entriesAt(stream, account, revision) + sortable(posting)

/** What the ids of all days of an account and asset begin with. */
export const daysOf = (stream: string, account: string, asset: string): string =>
  `${stream}/${account}/${asset}/`

export const dayId = (stream: string, account: string, asset: string, day: string): string =>
  daysOf(stream, account, asset) + day

/** The parts of a day's id: the asset has one `/` of its own, stream and account have none. */
export function dayIn(id: string): { account: string; asset: string; day: string } {
  const [, account = '', code = '', decimals = '', day = ''] = id.split('/')
  return { account, asset: `${code}/${decimals}`, day }
}
