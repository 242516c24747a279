import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { finalBalances } from './final-balances.ts'

/**
 * Compares the balance of every account in the file with what a running server says, and exits 1
 * where they differ:
 *
 *     npx node examples/berka/check-balances.ts --url http://127.0.0.1:8080 trans-1993.asc
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    ledger: { type: 'string', default: 'berka' },
    'min-revision': { type: 'string' },
  },
})
const [file] = positionals
if (!file || !values.url) {
  console.error(
    'check-balances.ts --url <query service> [--ledger berka] [--min-revision N] <file>',
  )
  process.exit(2)
}

try {
  process.exitCode = (await differs(file)) ? 1 : 0
} catch (error) {
  // Whoever reads this wants to know what is not there, not where in this program it was noticed.
  console.error(`check-balances: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 69
}

async function differs(path: string): Promise<boolean> {
  const expected = finalBalances(await readFile(path, 'latin1'))
  const differing: string[] = []
  for (const [account, balance] of expected) {
    const found = await balanceOf(`customers:${account}`)
    if (found !== balance) differing.push(`customers:${account}: file ${balance}, ledger ${found}`)
  }
  for (const line of differing.slice(0, 20)) console.log(line)
  const same = expected.size - differing.length
  console.log(`${same} of ${expected.size} accounts end as the file does`)
  return differing.length > 0
}

/** In hellers; `undefined` where the ledger has no such account. */
async function balanceOf(account: string): Promise<bigint | undefined> {
  const url = new URL(`/ledgers/${values.ledger}/accounts/${account}`, values.url)
  const revision = values['min-revision']
  if (revision !== undefined) url.searchParams.set('min-revision', revision)
  const response = await fetch(url, { headers: { prefer: 'wait=10' } }).catch((cause) => {
    throw new Error(`nothing answers at ${values.url}: start \`npx evident serve\``, { cause })
  })
  if (response.status === 404) return undefined
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  const body = (await response.json()) as { balances: Record<string, { balance: string }> }
  return BigInt(body.balances['CZK/2']?.balance ?? '0')
}
