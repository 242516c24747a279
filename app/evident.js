#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=16
// Plain JavaScript that every Node can read: an older one would stop at the first `.ts` file with
// an error that tells nobody what to do. The line above keeps memory small: a process of several
// threads would give each of them an arena, and young objects 200 MB of room before they are
// looked at.
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const needed = [24, 15]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  // Types are taken off once, not by every thread of every start: half the time, 50 MB less.
  module.enableCompileCache(
    fileURLToPath(new URL('../node_modules/.cache/evident', import.meta.url)),
  )
  setFlagsFromString('--heap-growing-percent=30') // garbage beside what is in use, at most
  await import('./main.ts')
} else {
  process.stderr.write(
    `evident needs Node ${needed.join('.')} or later and was started by ${process.version}: ` +
      'run it as `npx evident`, which uses the Node that `npm ci` installed.\n',
  )
  process.exitCode = 2
}
