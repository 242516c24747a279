import { commandOperations, commandProblems } from '../command-service/command-operations.ts'
import type { LedgerCommand } from '../command-service/domain/ledger/commands.ts'
import type { LedgerRejectionCode } from '../command-service/domain/ledger/rejections.ts'
import type { Ledger } from '../command-service/domain/ledger/state.ts'
import { ledgerDomain } from '../command-service/ledger-domain.ts'
import type { LedgerEvent } from '../events/ledger.ts'
import { ledgerReads } from '../query-service/query-operations.ts'
import type { DomainService } from './domain-entry.ts'
import { checkBalances } from './verify/check-balances.ts'

/** The ledger over HTTP. */
export const ledgerService: DomainService<LedgerCommand, LedgerEvent, Ledger, LedgerRejectionCode> =
  {
    domain: ledgerDomain,
    commandOperations,
    queryOperations: ledgerReads,
    problems: commandProblems,
    checkDocuments: checkBalances,
  }
