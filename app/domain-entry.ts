import type { Domain } from '../command-service/domain/domain.ts'
import type { CommandRoutes } from '../command-service/submit-command.ts'
import type { DomainEvent } from '../events/codec.ts'
import type { Operation } from '../platform/http/operation.ts'
import type { ProblemDefinitions } from '../platform/http/problem.ts'
import type { Projection } from '../projections/projection.ts'
import type { DomainQueries } from '../query-service/query-operations.ts'
import type { DocumentsToCheck } from './verify/check-read-models.ts'

/** A domain over HTTP: its rules, its commands and its reads. */
export interface DomainService<
  Command extends { readonly type: string } = { readonly type: string },
  Event extends DomainEvent = DomainEvent,
  State = unknown,
  Code extends string = string,
> {
  readonly domain: Domain<Command, Event, State, Code>
  commandOperations(routes: CommandRoutes<Command, Event, Code>): readonly Operation[]
  readonly queryOperations: DomainQueries
  /** The codes that its operations answer beside those that every domain's can. */
  readonly problems: ProblemDefinitions
  /** Beside that a build must be what the log makes it anew: what `verify` checks of it. */
  checkDocuments?(documents: DocumentsToCheck<State>): Promise<void>
}

export type AnyDomain = DomainService['domain']

/** One domain of a program: an entry in a list such as `domains.ts`. */
export interface DomainEntry {
  readonly projections: readonly Projection[]
  /** Loaded where requests are served; the threads of the projections do without. */
  service(): Promise<DomainService>
}

/**
 * The list of domains of a module, its export `domains`. Threads cannot be handed functions, so
 * each imports the list by the module's URL.
 */
export async function importDomains(module: string): Promise<readonly DomainEntry[]> {
  const { domains } = (await import(module)) as { readonly domains?: readonly DomainEntry[] }
  if (!domains) throw new Error(`${module} exports no list \`domains\``)
  requireUniqueNames(domains)
  return domains
}

/** Projections are kept by name, and a category is one domain's. @throws where one is there twice */
export function requireUniqueNames(domains: readonly DomainEntry[]): void {
  const names = domains.flatMap(({ projections }) => projections.map(({ name }) => name))
  const categories = domains.flatMap(({ projections }) => [
    ...new Set(projections.map(({ category }) => category)),
  ])
  const name = repeatedIn(names)
  if (name !== undefined) throw new Error(`two projections are called ${name}`)
  const category = repeatedIn(categories)
  if (category !== undefined) throw new Error(`two domains have the category ${category}`)
}

const repeatedIn = (texts: readonly string[]): string | undefined =>
  texts.find((text, index) => texts.indexOf(text) !== index)
