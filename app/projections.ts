import type { Projection } from '../projections/projection.ts'
import { domains } from './domains.ts'

/** Every projection that runs. */
export const projections: readonly Projection[] = domains.flatMap((domain) => domain.projections)
