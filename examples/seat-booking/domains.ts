import type { DomainEntry } from '../../app/domain-entry.ts'
import { domains as core } from '../../app/domains.ts'
import { screenings } from './screenings.ts'

/** The ledger, and seat booking beside it. */
export const domains: readonly DomainEntry[] = [
  ...core,
  {
    projections: [screenings],
    service: async () => (await import('./screening-service.ts')).screeningService,
  },
]
