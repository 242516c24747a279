import { join } from 'node:path'
import { openFileIdIndex } from '../../command-service/file-id-index.ts'
import type { IdIndex } from '../../command-service/id-index.ts'
import type { AnyDomain } from '../domain-entry.ts'

/** The ids that the log's commands used, gathered anew: what the service remembers is not trusted. */
export interface UsedIds {
  of(domain: AnyDomain): IdIndex
  close(): Promise<void>
}

/** In files, so that memory does not grow with the log. */
export async function openUsedIds(
  domains: readonly AnyDomain[],
  { folder, logId }: { readonly folder: string; readonly logId: string },
): Promise<UsedIds> {
  const indexes = new Map<AnyDomain, IdIndex>()
  for (const domain of domains) {
    const index = await openFileIdIndex({ folder: join(folder, domain.category), logId })
    indexes.set(domain, index)
  }
  return {
    of(domain) {
      const index = indexes.get(domain)
      if (!index) throw new Error(`the domain ${domain.category} is none of those that are checked`)
      return index
    },
    async close() {
      for (const index of indexes.values()) await index.close()
    },
  }
}
