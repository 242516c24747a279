import Router, { type RouterContext, type RouterMiddleware } from '@koa/router'
import { expect } from 'chai'
import fc from 'fast-check'
import { createRouteIndex } from '../../platform/http/route-index.ts'

interface Declared {
  readonly method: string
  readonly path: string
}

const template = fc
  .array(fc.constantFrom('a', 'b', ':x', ':y', ':x-1', 'c.json', '*rest'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((segments) => `/${segments.map((text, at) => text.replace(/^:(.)$/, `:$1${at}`)).join('/')}`)
const method = fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS')
const declared: fc.Arbitrary<Declared> = fc.record({ method, path: template })
const requested = fc.record({
  method,
  path: fc
    .array(
      fc.constantFrom('a', 'b', 'A', 'c.json', 'cXjson', 'v:1', '', '.', '..', 'a%2Fb', '%', '~'),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .map((segments) => `/${segments.join('/')}`),
  query: fc.constantFrom('', '?', '?a=/b', '?x/y'),
})

/** Which route answers, and with which parameters; `undefined` where none does. */
async function askRouter(router: Router, { method, url }: { method: string; url: string }) {
  const ctx = { method, path: url.replace(/\?.*/, ''), request: {}, host: '' } as RouterContext
  let answered: { name: unknown; params: unknown } | undefined
  const routes = router.routes()
  ctx.state = { answer: (name: string) => (answered = { name, params: { ...ctx.params } }) }
  await routes(ctx, async () => undefined)
  return answered
}

describe('the index of routes', () => {
  const routerOf = (routes: readonly Declared[]) => {
    const router = new Router({ strict: true, sensitive: true })
    for (const [at, { method: verb, path }] of routes.entries()) {
      const handle: RouterMiddleware = (ctx) => {
        ctx.state.answer(`${at} ${path}`)
      }
      router.register(path, [verb], handle)
    }
    return router
  }

  it('finds what the router finds, or leaves it to the router', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(declared, { minLength: 1, maxLength: 8 }),
        requested,
        async (routes, { method: verb, path, query }) => {
          const router = routerOf(routes)
          const url = path + query
          const found = createRouteIndex(router)(verb, url)
          if (!found) return
          const names: unknown[] = []
          const ctx = { state: { answer: (name: string) => names.push(name) } } as RouterContext
          await found.handle(ctx, async () => undefined)
          const expected = await askRouter(router, { method: verb, url })
          expect({ name: names[0], params: { ...found.params } }).deep.equal(expected)
        },
      ),
      { numRuns: 2_000 },
    ))

  const find = createRouteIndex(
    routerOf([
      { method: 'GET', path: '/ledgers/:ledger/accounts/:account' },
      { method: 'GET', path: '/ledgers/:ledger/accounts/live' },
      { method: 'POST', path: '/ledgers/:ledger' },
    ]),
  )
  it('finds plain paths, the first route that was registered', () => {
    const params = { ledger: 'main', account: 'live' }
    expect(find('GET', '/ledgers/main/accounts/live?at=1')?.params).deep.equal(params)
    expect(find('HEAD', '/ledgers/main/accounts/a:b-c_d.e')?.params.account).equal('a:b-c_d.e')
    expect(find('POST', '/ledgers/main')?.params).deep.equal({ ledger: 'main' })
  })
  it('leaves to the router what is not plain or not there', () => {
    for (const url of ['/ledgers/a%20b', '/ledgers/', '/ledgers/a/', '/ledgers/ž', '/', '*', '']) {
      expect(find('POST', url), url).equal(undefined)
    }
    expect(find('PATCH', '/ledgers/main')).equal(undefined)
  })
})
