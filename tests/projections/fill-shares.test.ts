import { expect } from 'chai'
import { accounts } from '../../projections/accounts.ts'
import { fillShares, progressOfShares } from '../../projections/fill-shares.ts'
import { ledgers } from '../../projections/ledgers.ts'
import { transactions } from '../../projections/transactions.ts'

const toFill = [ledgers, accounts, transactions].map((projection) => ({
  projection,
  build: `${projection.name}-v1.1`,
}))

describe('shares of what is to be filled', () => {
  it('are about equal, and each build is in one of them', () => {
    const names = fillShares(toFill).map((share) => share.map(({ build }) => build))
    expect(names).to.deep.equal([['accounts-v1.1'], ['transactions-v1.1', 'ledgers-v1.1']])
    expect(fillShares(toFill.slice(0, 1))).to.deep.equal([toFill.slice(0, 1)])
    expect(fillShares([])).to.deep.equal([])
  })

  it('are together as far as the last of them', () => {
    const told: number[] = []
    const report = progressOfShares(2, ({ events }) => told.push(events))
    const at = (events: number) => ({ events, position: '', end: '' })
    report(0, at(1_000))
    report(1, at(400))
    report(0, at(2_000))
    report(1, at(3_000))
    expect(told).to.deep.equal([400, 400, 2_000])
  })
})
