import { runCli } from './cli/run-cli.ts'
import { openTerminal } from './cli/terminal.ts'

/** The one place that sees the process: its arguments, its environment, its streams. */
process.exitCode = await runCli(process.argv.slice(2), openTerminal(process, process.env))
