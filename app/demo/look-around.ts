import { demoAsset, demoLedger } from './demo-bank.ts'
import { createLedgerClient, type LedgerAnswer } from './ledger-client.ts'

/** What the demo shows of a ledger, asked over HTTP. */
export interface Sights {
  readonly refusal: LedgerAnswer
  readonly replay: LedgerAnswer
  readonly balance: { readonly units: bigint; readonly answer: LedgerAnswer }
  readonly totals: {
    readonly positive: bigint
    readonly negative: bigint
    readonly sum: bigint
    readonly accounts: number
    readonly revision: string
  }
}

export const shownAccount = 'customers:001'

/** A refusal, the same command twice, a read of one's own write, and the trial balance. */
export async function lookAround(url: string): Promise<Sights> {
  const { get, post } = createLedgerClient(url, demoLedger)
  const pay = (amount: string) => ({
    postings: [{ from: shownAccount, to: 'merchants:007', asset: demoAsset, amount }],
  })
  const refusal = await post(pay('99999999900'))
  const coffee = pay('8900')
  const first = await post(coffee, 'demo-coffee')
  const replay = await post(coffee, 'demo-coffee')
  const made = `min-revision=${first.revision}`
  const answer = await get(`/accounts/${shownAccount}?${made}`)
  const trial = await get(`/trial-balance?${made}`)
  const total = trial.total?.[demoAsset]
  const balance = answer.balances?.[demoAsset]?.balance
  if (!total || balance === undefined || trial.revision === undefined) {
    throw new Error(`the ledger shows no ${demoAsset}: ${trial.code ?? ''} ${answer.code ?? ''}`)
  }
  return {
    refusal,
    replay,
    balance: { units: BigInt(balance), answer },
    totals: {
      positive: BigInt(total.positive),
      negative: BigInt(total.negative),
      sum: BigInt(total.sum),
      accounts: total.accounts,
      revision: trial.revision,
    },
  }
}

/** Commands to paste, each on one line. */
export const curlLines = (url: string): readonly string[] => [
  `curl -s ${url}/ledgers/${demoLedger}/accounts/${shownAccount}`,
  `curl -s ${url}/ledgers/${demoLedger}/transactions -H 'Content-Type: application/json' -d '{"postings":[{"from":"${shownAccount}","to":"merchants:007","asset":"${demoAsset}","amount":"12900"}]}'`,
  `curl -s '${url}/ledgers/${demoLedger}/accounts/${shownAccount}/entries?limit=2'`,
]
