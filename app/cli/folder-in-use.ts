import { CommandFailed } from './describe-failure.ts'
import { exitCodes } from './exit-codes.ts'
import { urlOfFolder } from './running-file.ts'

/** Runs what opens a folder; where another process has it, says so and what to do instead. */
export async function explainFolderInUse<T>(folder: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'FOLDER_IN_USE')) throw error
    const url = await urlOfFolder(folder)
    const advice =
      url === undefined
        ? 'stop it, or give --url to work on a running server'
        : `it serves ${url}; stop it, or give --url ${url} to work on it as it runs`
    const text = `${folder} is in use by another process: ${advice}.`
    throw new CommandFailed(exitCodes.unavailable, text, { cause: error })
  }
}
