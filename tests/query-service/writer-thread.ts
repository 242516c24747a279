import { workerData } from 'node:worker_threads'
import { openSqliteReadModels } from '../../adapters/sqlite-read-models.ts'
import { accounts } from '../../projections/accounts.ts'

export interface WriterThreadData {
  readonly folder: string
  readonly changes: SharedArrayBuffer
  readonly build: string
  readonly writes: number
}

/** Writes two documents together, again and again, and after some writes lets readers come to it. */
const { folder, changes, build: name, writes } = workerData as WriterThreadData
const readModels = openSqliteReadModels({ folder, changes })
const build = await readModels.openBuild(name, accounts.collections)
for (let n = 1; n <= writes; n += 1) {
  const revision = BigInt(n)
  const documents = ['a', 'b'].map((id) => ({
    ...{ collection: 'accounts', id: `s-1/${id}`, revision },
    body: { ledger: '1', account: id, status: 'open', metadata: {}, balances: {}, n },
  }))
  await build.write({
    ...{ finals: [], documents, parked: [], unparked: [] },
    progress: [{ stream: 's-1', revision }],
  })
  if (n % 3 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, n % 5)
}
await readModels.close()
