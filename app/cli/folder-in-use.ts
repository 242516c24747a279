import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import { urlOfFolder } from './running-file.ts'

/**
 * Runs what opens a folder; where another process has it, says so and what to do instead. Commands
 * that `takesUrl` can do their work on the running server.
 */
export async function explainFolderInUse<T>(
  folder: string,
  open: () => Promise<T>,
  { takesUrl = true }: { readonly takesUrl?: boolean } = {},
): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'FOLDER_IN_USE')) throw error
    const url = await urlOfFolder(folder)
    const where = url === undefined ? '' : `it serves ${url}; `
    const flag = url === undefined ? '--url of its server' : `--url ${url}`
    const instead = takesUrl ? `or give ${flag}` : `or use a command that takes ${flag}`
    const text = `${folder} is in use by another process: ${where}stop it, ${instead}.`
    throw new CommandFailed(exitCodes.unavailable, text, { cause: error })
  }
}
