import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { adminProblems } from '../../app/admin-operations.ts'
import { commandProblems } from '../../command-service/command-operations.ts'
import { shapeProblems } from '../../events/shape-problems.ts'
import { docsOperations } from '../../platform/http/docs.ts'
import { edgeProblems } from '../../platform/http/edge-problems.ts'
import { openApiOperation } from '../../platform/http/openapi.ts'
import { json, type Operation, operation } from '../../platform/http/operation.ts'
import { mergeProblems } from '../../platform/http/problem.ts'
import { serviceOperations } from '../../platform/http/service-operations.ts'
import { compile } from '../../platform/json-schema.ts'
import { createMetrics } from '../../platform/metrics.ts'
import { queryProblems } from '../../query-service/problems.ts'
import { connectTo, type Edge, jsonOf, startEdge } from './edge-fixture.ts'

const thingSchema = {
  type: 'object',
  properties: { name: { type: 'string', pattern: '^[a-z]+$', problem: 'invalid-name' } },
  additionalProperties: false,
} as const
const isThing = compile(thingSchema)
const problems = { 'invalid-name': { status: 400, title: 'No name', advice: 'Lower case.' } }

describe('description of the API', () => {
  let edge: Edge
  let isDown = false

  before(async () => {
    const definitions = mergeProblems(edgeProblems, problems)
    const checks = [
      { name: 'log', check: () => {} },
      {
        name: 'read-models',
        check: async () => {
          if (isDown) throw new Error('secret path /var/lib')
        },
      },
    ]
    const own: readonly Operation[] = [
      operation({
        method: 'POST',
        path: '/things/:name',
        id: 'makeThing',
        tag: 'things',
        summary: 'Make a thing',
        params: { name: { type: 'string' } },
        query: { limit: { type: 'integer', default: 5 }, 'metadata.*': { type: 'string' } },
        body: isThing,
        answers: { 201: { description: 'Made', schema: thingSchema } },
        handle: ({ body }) => json(201, body),
      }),
      ...serviceOperations({ checks, metrics: createMetrics(), definitions }),
      ...docsOperations('Test'),
    ]
    const info = { title: 'Test', version: '1', description: 'For a test' }
    const operations = [...own, openApiOperation(info, own, definitions)]
    edge = await startEdge({ operations, problems })
  })
  after(() => edge.close())

  it('comes from the declarations that check the requests', async () => {
    const { openapi, paths } = await jsonOf(fetch(`${edge.url}/openapi.json`))
    expect(openapi).equal('3.1.0')
    const things = (paths as Record<string, Record<string, object>>)['/things/{name}']?.post
    expect(things).nested.include({
      operationId: 'makeThing',
      'parameters[0].in': 'path',
      'parameters[0].required': true,
      'parameters[1].name': 'limit',
      'parameters[1].schema.default': 5,
      'parameters[2].style': 'form',
      'requestBody.content.application/json.schema.properties.name.x-problem': 'invalid-name',
    })
    expect(things)
      .nested.property('responses.400.description')
      .match(/`invalid-name`: No name/)
    expect(things).nested.property('responses.413')
    expect(paths).include.keys('/healthz', '/readyz', '/metrics', '/openapi.json', '/docs')
  })

  it('is shown by a page that loads everything from here', async () => {
    const page = await (await fetch(`${edge.url}/docs`)).text()
    expect(page).not.match(/https?:|\/\//)
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path)
    expect(files).length(4)
    for (const path of files) {
      const answer = await fetch(edge.url + path)
      expect(answer.status, path).equal(200)
      expect((await answer.arrayBuffer()).byteLength, path).greaterThan(100)
    }
  })

  it('tells what a problem code means', async () => {
    expect(await jsonOf(fetch(`${edge.url}/problems/invalid-name`))).deep.equal({
      ...{ code: 'invalid-name', status: 400, title: 'No name', advice: 'Lower case.' },
    })
    expect((await fetch(`${edge.url}/problems/constructor`)).status).equal(404)
  })

  it('says whether it is ready, and only the name of what is missing', async () => {
    expect(await jsonOf(fetch(`${edge.url}/healthz`))).deep.equal({ status: 'ok' })
    expect((await fetch(`${edge.url}/readyz`)).status).equal(200)
    isDown = true
    const answer = await fetch(`${edge.url}/readyz`)
    expect(answer.status).equal(503)
    const body = await jsonOf(answer)
    expect(body).deep.include({ code: 'not-ready', checks: { log: 'ok', 'read-models': 'failed' } })
    expect(JSON.stringify(body)).not.match(/secret/)
  })

  it('gives figures to Prometheus', async () => {
    const answer = await fetch(`${edge.url}/metrics`)
    expect(answer.headers.get('content-type')).match(/^text\/plain/)
    expect(await answer.text()).match(/^evident_append_seconds_bucket/m)
  })

  describe('header sheet (A-23)', () => {
    const varying = ['date', 'x-request-id', 'content-length', 'keep-alive', 'connection']
    const headersOf = async (path: string) => {
      const { headers } = await fetch(edge.url + path)
      return Object.fromEntries([...headers].filter(([name]) => !varying.includes(name)))
    }
    const api = {
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    }
    it('of the API', async () => {
      expect(await headersOf('/healthz')).deep.equal({ ...api, 'content-type': 'application/json' })
    })
    it('of a problem', async () => {
      const type = 'application/problem+json'
      expect(await headersOf('/none')).deep.equal({ ...api, 'content-type': type })
    })
    it('of what the parser refuses', async () => {
      const { write, received } = connectTo(edge)
      write('garbage\r\n\r\n')
      const text = await received
      for (const [name, value] of Object.entries(api)) {
        expect(text.toLowerCase()).include(`\r\n${name}: ${value}\r\n`.toLowerCase())
      }
    })
    it('of a page', async () => {
      expect(await headersOf('/docs')).deep.equal({
        'cache-control': 'no-cache',
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
          "img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; " +
          "frame-ancestors 'none'",
        'content-type': 'text/html; charset=utf-8',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
    })
  })
})

describe('docs/errors.md', () => {
  const definitions = mergeProblems(
    ...[edgeProblems, shapeProblems, commandProblems, queryProblems, adminProblems],
  )

  it('lists every code, with its status, its title and what to do', () => {
    const rows = Object.entries(definitions)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([code, { status, title, advice }]) => `| \`${code}\` | ${status} | ${title} | ${advice} |`,
      )
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
    const written = page.split('\n').filter((line) => line.startsWith('| `'))
    expect(written.join('\n')).equal(rows.join('\n'))
  })

  it('has a code for each name', () => {
    for (const code of Object.keys(definitions)) expect(code).match(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  })
})
