#!/usr/bin/env node
// Plain JavaScript that every Node can read: an older one would stop at the first `.ts` file with
// an error that tells nobody what to do.
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const needed = [24, 15]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  // Types are taken off once, not at every start: half the time and 50 MB less. Threads look at the
  // variable, this one has begun already.
  const cache = fileURLToPath(new URL('../node_modules/.cache/evident', import.meta.url))
  process.env.NODE_COMPILE_CACHE ??= cache
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
  await import('./main.ts')
} else {
  process.stderr.write(
    `evident needs Node ${needed.join('.')} or later and was started by ${process.version}: ` +
      'run it as `npx evident`, which uses the Node that `npm ci` installed.\n',
  )
  process.exitCode = 2
}
