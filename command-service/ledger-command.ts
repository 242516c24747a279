import type { FromSchema, Schema } from '../platform/json-schema.ts'
import { type LedgerCommand, ledgerCommands } from './domain/ledger/commands.ts'
import { idempotencyKeySchema } from './idempotency-key.ts'

type CommandType = keyof typeof ledgerCommands
export type BodyOf<T extends CommandType> = FromSchema<(typeof ledgerCommands)[T]>

/** A time that looks right but is in no calendar, such as 30 February. */
export class InvalidTime extends Error {
  readonly code = 'invalid-time'
}

/**
 * The command of a transaction: an id where the client gave none, the time in UTC.
 * @throws {InvalidTime}
 */
export function postTransactionOf(
  { id, effectiveAt, ...rest }: BodyOf<'PostTransaction'>,
  newId: () => string,
): LedgerCommand {
  return {
    type: 'PostTransaction',
    id: id ?? newId(),
    ...rest,
    ...(effectiveAt !== undefined && { effectiveAt: inUtc(effectiveAt) }),
  }
}

/** Date.parse takes 30 February for 2 March: the day that comes out must be the day that went in. */
function inUtc(text: string): string {
  const local = new Date(`${text.slice(0, 19)}Z`)
  const time = new Date(text)
  const isReal = !Number.isNaN(time.getTime()) && !Number.isNaN(local.getTime())
  if (!isReal || local.toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw new InvalidTime(`${text} is in no calendar`)
  }
  return time.toISOString()
}

const lineKeySchema = {
  ...idempotencyKeySchema,
  description: 'Idempotency key of this line. A transaction with an `id` needs none.',
} as const satisfies Schema

/** A line of a bulk: a command's body with its type, and its key where it has no id of its own. */
export const lineSchemas: Readonly<Record<CommandType, Schema>> = {
  CreateLedger: lineSchema('CreateLedger'),
  OpenAccount: lineSchema('OpenAccount'),
  SetOverdraft: lineSchema('SetOverdraft'),
  PostTransaction: lineSchema('PostTransaction'),
}

function lineSchema(type: CommandType): Schema {
  const body: { properties: object; required?: readonly string[] } = ledgerCommands[type]
  return {
    ...ledgerCommands[type],
    properties: { type: { const: type }, key: lineKeySchema, ...body.properties },
    required: ['type', ...(body.required ?? [])],
  } as Schema
}
