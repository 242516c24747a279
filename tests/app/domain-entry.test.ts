import { expect } from 'chai'
import { type DomainEntry, importDomains, requireUniqueNames } from '../../app/domain-entry.ts'
import { domains, domainsModule } from '../../app/domains.ts'
import { ledgerService } from '../../app/ledger-service.ts'
import { accounts } from '../../projections/accounts.ts'
import { ledgers } from '../../projections/ledgers.ts'
import { failureOf } from '../eventually.ts'

const entry = (...projections: DomainEntry['projections']): DomainEntry => ({
  projections,
  service: async () => ledgerService,
})

describe('list of domains', () => {
  it('is found by its module’s URL, also from a thread', async () => {
    expect(await importDomains(domainsModule)).equal(domains)
  })
  it('is missed where a module has none', async () => {
    const { href } = new URL('./domain-entry.test.ts', import.meta.url)
    expect(await failureOf(importDomains(href))).match(/exports no list `domains`/)
  })
  it('has no projection twice, and no category in two domains', () => {
    requireUniqueNames([entry(ledgers, accounts)])
    expect(() => requireUniqueNames([entry(ledgers, ledgers)])).throw(/two projections .* ledgers/)
    expect(() => requireUniqueNames([entry(ledgers), entry(accounts)])).throw(/category ledger/)
  })
})
