import { compile, type FromSchema, type Schema } from '../../platform/json-schema.ts'
import { type DemoTransaction, demoAsset } from './demo-bank.ts'

/** What the demo reads of an answer, whatever else it has. */
const answerSchema = {
  type: 'object',
  properties: {
    revision: { type: 'string' },
    code: { type: 'string' },
    detail: { type: 'string' },
    balances: {
      type: 'object',
      properties: {
        [demoAsset]: {
          type: 'object',
          properties: { balance: { type: 'string' } },
          required: ['balance'],
        },
      },
    },
    total: {
      type: 'object',
      properties: {
        [demoAsset]: {
          type: 'object',
          properties: {
            positive: { type: 'string' },
            negative: { type: 'string' },
            sum: { type: 'string' },
            accounts: { type: 'integer' },
          },
          required: ['positive', 'negative', 'sum', 'accounts'],
        },
      },
    },
  },
} as const satisfies Schema

const isAnswer = compile(answerSchema)

/** An answer: what HTTP says of it, and beside that its body as it came. */
export interface LedgerAnswer {
  readonly httpStatus: number
  /** `Evident-Revision`: of a read, what it shows. */
  readonly shownRevision: string | null
  readonly ageMs: string | null
  readonly replayed: boolean
  readonly body: FromSchema<typeof answerSchema>
}

export type TransactionBody = Omit<DemoTransaction, 'type' | 'id' | 'effectiveAt'> &
  Partial<Pick<DemoTransaction, 'id' | 'effectiveAt'>>

/** Talks to one ledger as any client would. */
export interface LedgerClient {
  post(body: TransactionBody, idempotencyKey?: string): Promise<LedgerAnswer>
  get(path: string): Promise<LedgerAnswer>
}

/** A request that is not answered by then fails. */
const timeoutMs = 30_000

export function createLedgerClient(url: string, ledger: string): LedgerClient {
  const send = async (path: string, init: RequestInit = {}): Promise<LedgerAnswer> => {
    const target = new URL(`/ledgers/${ledger}${path}`, url)
    const response = await fetch(target, { ...init, signal: AbortSignal.timeout(timeoutMs) })
    const body: unknown = await response.json()
    if (!isAnswer(body)) throw new Error(`${target} answered what no ledger answers`)
    const { headers, status } = response
    return {
      httpStatus: status,
      shownRevision: headers.get('evident-revision'),
      ageMs: headers.get('evident-age-ms'),
      replayed: headers.get('idempotency-replayed') === 'true',
      body,
    }
  }
  return {
    get: (path) => send(path),
    post: (body, idempotencyKey) =>
      send('/transactions', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
        },
        body: JSON.stringify(body),
      }),
  }
}
