import { parentPort, workerData } from 'node:worker_threads'
import { createBatchWriter, type PackedAppend, unpack } from './sqlite-batch-writer.ts'
import { checkFewStreams, guardStreams } from './sqlite-streams-check.ts'

/** The thread that appends: an fsync here holds up nobody who parses or decides. */
const { path, changes, streams } = workerData as Record<
  'changes' | 'streams',
  SharedArrayBuffer
> & {
  readonly path: string
}

const writer = createBatchWriter(path, guardStreams(path, streams))
checkFewStreams(path, streams)
const changeCount = new Int32Array(changes)

parentPort?.on('message', (batch: readonly PackedAppend[] | 'close') => {
  if (batch === 'close') {
    writer.close()
    parentPort?.close()
    return
  }
  const results = writer.write(batch.map(unpack))
  Atomics.add(changeCount, 0, 1)
  Atomics.notify(changeCount, 0)
  parentPort?.postMessage(results)
})

parentPort?.postMessage('open')
