import { createHash } from 'node:crypto'
import type { Overdrafts, Posting } from '../../events/ledger.ts'
import type { LedgerCommandLine } from './command-sink.ts'
import type { Mapping } from './mapping-schema.ts'
import type { OpeningBalance, ReconciledMovement, Reconciliation } from './reconcile.ts'

/** A command, and the line of the file that it comes from. */
export interface PlannedCommand {
  readonly command: LedgerCommandLine
  /** `undefined` where it comes from no single line. */
  readonly line: number | undefined
}

/** All commands of an import in order: the ledger, its accounts, then the movements. */
export interface CommandPlan {
  readonly setUp: readonly PlannedCommand[]
  readonly transactions: readonly PlannedCommand[]
  /** Rows that move nothing and round nothing. */
  readonly zeroRows: number
}

/** The same file and mapping always give the same commands, with the same ids and keys. */
export function planCommands(mapping: Mapping, reconciled: Reconciliation): CommandPlan {
  const { roundingAccount = '', openingAccount = '' } = mapping.runningBalance ?? {}
  const opened = reconciled.openings.map((opening) => openingCommand(opening, openingAccount))
  const moved = reconciled.movements.map((entry) => movementCommand(entry, roundingAccount))
  const transactions = [...opened, ...moved].filter((planned) => planned !== undefined)
  const { ledger } = mapping
  const createLedger = {
    type: 'CreateLedger',
    key: `import-ledger-${ledger}`,
    accountOpening: 'explicit',
  } as const
  return {
    setUp: [{ command: createLedger, line: undefined }, ...openAccounts(mapping, transactions)],
    transactions,
    zeroRows: opened.length + moved.length - transactions.length,
  }
}

const digest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 32)

function openingCommand(
  { account, asset, balance, effectiveAt }: OpeningBalance,
  openingAccount: string,
): PlannedCommand {
  const posting = postingOf(balance, asset, account, openingAccount)
  const id = `opening-${digest(`${account} ${asset}`)}`
  return {
    command: { type: 'PostTransaction', id, postings: [posting], effectiveAt },
    line: undefined,
  }
}

function movementCommand(
  { movement, rounding }: ReconciledMovement,
  roundingAccount: string,
): PlannedCommand | undefined {
  const { id, line, account, counterAccount, asset, amount, effectiveAt } = movement
  const postings: Posting[] = []
  if (amount !== 0n) postings.push(postingOf(amount, asset, account, counterAccount))
  if (rounding !== 0n) postings.push(postingOf(rounding, asset, account, roundingAccount))
  if (postings.length === 0) return undefined
  return {
    command: {
      type: 'PostTransaction',
      id,
      postings,
      effectiveAt,
      ...(movement.reference !== undefined && { reference: movement.reference }),
      ...(Object.keys(movement.metadata).length > 0 && { metadata: movement.metadata }),
    },
    line,
  }
}

/** A posting that adds a signed amount to an account. */
const postingOf = (amount: bigint, asset: string, account: string, other: string): Posting =>
  amount > 0n
    ? { amount: amount.toString(), asset, from: other, to: account }
    : { amount: (-amount).toString(), asset, from: account, to: other }

/** In the order of their first use, with the overdraft that the mapping's rule gives each. */
function openAccounts(
  { openAccounts: rules = [] }: Mapping,
  transactions: readonly PlannedCommand[],
): readonly PlannedCommand[] {
  const longestFirst = rules.toSorted((a, b) => b.prefix.length - a.prefix.length)
  return [...lowestBalances(transactions)].map(([account, lowest]) => {
    const rule = longestFirst.find(({ prefix }) => account.startsWith(prefix))?.overdraft ?? 'none'
    const overdrafts: Overdrafts = Object.fromEntries(
      [...lowest].flatMap(([asset, balance]) => {
        const overdraft = rule === 'as-needed' ? asFarAs(balance) : rule
        return overdraft === 'none' ? [] : [[asset, overdraft] as const]
      }),
    )
    const content = Object.keys(overdrafts).length > 0 ? { account, overdrafts } : { account }
    const key = `import-open-${digest(JSON.stringify(content))}`
    return { command: { type: 'OpenAccount', key, ...content }, line: undefined }
  })
}

const asFarAs = (lowest: bigint): string => (lowest < 0n ? (-lowest).toString() : 'none')

/** The lowest that each account's balance comes to after a transaction, by asset; at most zero. */
function lowestBalances(
  transactions: readonly PlannedCommand[],
): ReadonlyMap<string, ReadonlyMap<string, bigint>> {
  const balances = new Map<string, bigint>()
  const lowest = new Map<string, Map<string, bigint>>()
  const add = (account: string, asset: string, amount: bigint): void => {
    const key = `${account} ${asset}`
    balances.set(key, (balances.get(key) ?? 0n) + amount)
  }
  const note = (account: string, asset: string): void => {
    const balance = balances.get(`${account} ${asset}`) ?? 0n
    const known = lowest.get(account) ?? new Map<string, bigint>()
    if (known.size === 0) lowest.set(account, known)
    const before = known.get(asset) ?? 0n
    known.set(asset, balance < before ? balance : before)
  }
  for (const { command } of transactions) {
    if (command.type !== 'PostTransaction') continue
    for (const { amount, asset, from, to } of command.postings) {
      add(from, asset, -BigInt(amount))
      add(to, asset, BigInt(amount))
    }
    for (const { asset, from, to } of command.postings) {
      note(from, asset)
      note(to, asset)
    }
  }
  return lowest
}
