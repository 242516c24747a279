import { castle, demoAsset, demoLedger } from './demo-bank.ts'
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

/** What it spends, in the smallest unit. */
export const coffeePrice = 8_900n

/** A refusal, the same command twice, a read of one's own write, and the trial balance. */
export async function lookAround(url: string): Promise<Sights> {
  const { get, post } = createLedgerClient(url, demoLedger)
  const pay = (amount: string) => ({
    postings: [{ from: shownAccount, to: 'merchants:007', asset: demoAsset, amount }],
  })
  const refusal = await post(pay(castle))
  const coffee = pay(String(coffeePrice))
  const first = await post(coffee, 'demo-coffee')
  const replay = await post(coffee, 'demo-coffee')
  const made = `min-revision=${first.body.revision}`
  const answer = await get(`/accounts/${shownAccount}?${made}`)
  const trial = await get(`/trial-balance?${made}`)
  const { total, revision } = trial.body
  const sums = total?.[demoAsset]
  const balance = answer.body.balances?.[demoAsset]?.balance
  if (!sums || balance === undefined || revision === undefined) {
    const codes = `${trial.body.code ?? ''} ${answer.body.code ?? ''}`
    throw new Error(`the ledger shows no ${demoAsset}: ${codes}`)
  }
  return {
    refusal,
    replay,
    balance: { units: BigInt(balance), answer },
    totals: {
      positive: BigInt(sums.positive),
      negative: BigInt(sums.negative),
      sum: BigInt(sums.sum),
      accounts: sums.accounts,
      revision,
    },
  }
}

/** Commands to paste, each on one line. */
export const curlLines = (url: string): readonly string[] => [
  `curl -s ${url}/ledgers/${demoLedger}/accounts/${shownAccount}`,
  `curl -s ${url}/ledgers/${demoLedger}/transactions -H 'Content-Type: application/json' -d '{"postings":[{"from":"${shownAccount}","to":"merchants:007","asset":"${demoAsset}","amount":"12900"}]}'`,
  `curl -s '${url}/ledgers/${demoLedger}/accounts/${shownAccount}/entries?limit=2'`,
]
