import type { LedgerEvent } from '../../events/ledger.ts'
import type { Request } from '../../platform/http/request.ts'
import type { LedgerCommand } from '../domain/ledger/commands.ts'
import type { LedgerRejectionCode } from '../domain/ledger/rejections.ts'
import { ledgerRejectionProblems } from '../ledger-problems.ts'
import { type CommandRoutes, submitTo } from '../submit-command.ts'

/** What the routes of a ledger are given. */
export type LedgerRoutes = CommandRoutes<LedgerCommand, LedgerEvent, LedgerRejectionCode>

interface LedgerCall {
  readonly params: { readonly ledger: string }
  readonly query: { readonly 'dry-run'?: boolean }
  readonly request: Request
}

const submitToLedger = submitTo<LedgerCommand, LedgerEvent, LedgerRejectionCode>(
  ledgerRejectionProblems,
)

/** Hands a command to the ledger in the path; `content` is what the client sent. */
export const submit = (
  routes: LedgerRoutes,
  call: LedgerCall,
  command: LedgerCommand,
  content: unknown = command,
) => submitToLedger(routes, call.params.ledger, call, command, content)
