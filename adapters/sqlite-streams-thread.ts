import { workerData } from 'node:worker_threads'
import { checkStreams } from './sqlite-streams-check.ts'

/** The thread that checks the names of many streams, beside those that work with them. */
const { path, shared } = workerData as { path: string; shared: SharedArrayBuffer }

checkStreams(path, shared)
