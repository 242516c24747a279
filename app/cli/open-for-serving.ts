import type { Log } from '../../platform/log.ts'
import type { Config } from '../config.ts'
import { type Evident, openEvident } from '../open-evident.ts'
import { explainFolderInUse } from './folder-in-use.ts'
import { leaveNote } from './running-file.ts'

/** Opens and serves the data folder, and leaves a note in it of where, for other commands. */
export async function openForServing(
  config: Config,
  log: Log,
): Promise<Pick<Evident, 'url' | 'port' | 'close'>> {
  const evident = await explainFolderInUse(config.dataFolder, () => openEvident(config, log), {
    takesUrl: false,
  })
  const note = leaveNote(config.dataFolder, evident.url)
  return {
    url: evident.url,
    port: evident.port,
    async close() {
      await evident.close()
      note.remove()
    },
  }
}
