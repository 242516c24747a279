#!/usr/bin/env node
// Plain JavaScript that every Node can read: an older one would stop at the first `.ts` file with
// an error that tells nobody what to do.
const needed = [24, 15]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  await import('./main.ts')
} else {
  process.stderr.write(
    `evident needs Node ${needed.join('.')} or later and was started by ${process.version}: ` +
      'run it as `npx evident`, which uses the Node that `npm ci` installed.\n',
  )
  process.exitCode = 2
}
