import { join } from 'node:path'
import { Ajv } from 'ajv'
import { expect } from 'chai'
import { loadConfig } from '../../app/config.ts'
import { type Evident, openEvident } from '../../app/open-evident.ts'
import { silentLog } from '../../platform/log.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { jsonOf } from './edge-fixture.ts'

type Node = Readonly<Record<string, unknown>>

interface Media {
  readonly schema: Node
  readonly example: unknown
}
interface Described {
  readonly description?: string
  readonly parameters: readonly Node[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, Node>>
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** Every object of the description, with its path in it. */
function* nodesIn(value: unknown, path = ''): Generator<readonly [string, Node]> {
  if (!isNode(value)) return
  yield [path, value]
  for (const [key, part] of Object.entries(value)) {
    if (key !== 'example' && key !== 'examples') yield* nodesIn(part, `${path}/${key}`)
  }
}

/** Keys that are free and their values: the example of their object shows them. */
const ofFreeKeys = /\/(propertyNames|additionalProperties|patternProperties\/.*)$/

const commands = [
  'put /ledgers/{ledger}',
  'put /ledgers/{ledger}/accounts/{account}',
  'patch /ledgers/{ledger}/accounts/{account}',
  'post /ledgers/{ledger}/transactions',
  'post /ledgers/{ledger}/commands',
]

describe('examples of the description', () => {
  const folder = temporaryFolder()
  const ajv = new Ajv({ strict: false })
  let evident: Evident
  let document: Node
  let paths: Readonly<Record<string, Readonly<Record<string, Described>>>>

  before(async () => {
    evident = await openEvident(
      loadConfig({ DATA_FOLDER: join(folder, 'data'), PORT: '0' }),
      silentLog,
    )
    document = await jsonOf(fetch(`${evident.url}/openapi.json`))
    paths = document.paths as typeof paths
  })
  after(() => evident.close())

  /** So that a change of the document's form cannot leave these tests with nothing to see. */
  function expectMany(checked: number, atLeast: number): void {
    expect(checked, 'examples that were checked').at.least(atLeast)
  }

  function check(schema: Node, example: unknown, path: string): void {
    expect(ajv.validate(schema, example), `${path}: ${ajv.errorsText()}`).equal(true)
  }

  it('pass the schemas that they stand in', () => {
    let checked = 0
    for (const [path, node] of nodesIn(document)) {
      if (!Array.isArray(node.examples)) continue
      for (const example of node.examples) check(node, example, path)
      checked += 1
    }
    expectMany(checked, 100)
  })

  it('pass the schemas that they stand beside, a body of lines line by line', () => {
    let checked = 0
    for (const [path, { example, schema }] of nodesIn(document)) {
      if (example === undefined || !isNode(schema)) continue
      const isOfLines = path.endsWith('/application/x-ndjson')
      const values = isOfLines ? linesOf(example) : [example]
      for (const value of values) check(schema, value, path)
      checked += 1
    }
    expectMany(checked, 20)
  })

  it('are there for each text with a form and each object with free keys', () => {
    for (const [path, node] of nodesIn(document)) {
      if (ofFreeKeys.test(path)) continue
      const hasForm = typeof node.pattern === 'string'
      const hasFreeKeys = node.type === 'object' && isNode(node.additionalProperties)
      if (hasForm || hasFreeKeys) expect(node, path).property('examples').not.empty
    }
  })

  it('show each problem as it is answered', () => {
    const { examples, schemas } = document.components as Readonly<Record<string, Node>>
    const problems = Object.entries(examples ?? {}) as [string, { readonly value: Node }][]
    for (const [code, { value }] of problems) {
      check(schemas?.Problem as Node, value, code)
      expect(value).include({ code, type: `/problems/${code}` })
    }
    let checked = 0
    for (const [path, { $ref }] of nodesIn(paths)) {
      if (typeof $ref !== 'string') continue
      expect($ref, path).equal('#/components/schemas/Problem')
      checked += 1
    }
    expectMany(checked, 100)
    for (const [, operations] of Object.entries(paths)) {
      for (const { responses } of Object.values(operations)) {
        for (const [status, answer] of Object.entries(responses)) {
          const { content = {} } = answer as { readonly content?: Node }
          const problem = content['application/problem+json'] as { readonly examples: Node }
          for (const code of Object.keys(problem?.examples ?? {})) {
            expect(examples?.[code], code).nested.property('value.status', Number(status))
          }
        }
      }
    }
  })

  it('are accepted by a server, sent as they stand, in the order of the README', async () => {
    for (const command of commands) {
      const { status, text } = await sendExample(command)
      expect(status, `${command}: ${text}`).oneOf([200, 201])
      expect(text, command).not.match(/"(refused|failed)":[1-9]/)
    }
  })

  it('a transaction is also accepted by a ledger that the README made', async () => {
    const send = (method: string, path: string, body: unknown) =>
      fetch(`${evident.url}/ledgers/readme${path}`, {
        ...{ method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      })
    await send('PUT', '', { accountOpening: 'on-first-use' })
    await send('PUT', '/accounts/bank', { overdrafts: { 'CZK/2': 'unlimited' } })
    const { example } = bodyOf('post /ledgers/{ledger}/transactions')
    expect((await send('POST', '/transactions', example)).status).equal(201)
  })

  it('each command names what keeps it from being answered', () => {
    for (const command of commands) {
      const { parameters, responses } = describedAt(command)
      const key = parameters.find(({ name }) => name === 'Idempotency-Key')
      expect(key, command).nested.property('schema.pattern')
      expect(responses[400]?.description, command).match(/`invalid-idempotency-key`/)
      expect(responses[503], command).nested.property('headers.Retry-After.description')
    }
    const codes = ['event-store-unavailable', 'outcome-unknown', 'overloaded', 'stream-unavailable']
    for (const command of commands.slice(0, -1)) {
      const { description } = describedAt(command).responses[503] ?? {}
      for (const code of codes) expect(description, command).include(`\`${code}\``)
    }
    const { description } = describedAt('post /ledgers/{ledger}/commands')
    for (const code of codes) expect(description).include(`\`${code}\``)
  })

  function describedAt(command: string): Described {
    const [method = '', path = ''] = command.split(' ')
    const described = paths[path]?.[method]
    if (!described) throw new Error(`${command} is not described`)
    return described
  }

  function bodyOf(command: string): Media & { readonly type: string } {
    const [[type, media] = []] = Object.entries(describedAt(command).requestBody?.content ?? {})
    if (type === undefined || media === undefined) throw new Error(`${command} has no body`)
    return { type, ...media }
  }

  /** The way the page of the description fills in a request. */
  async function sendExample(command: string): Promise<{ status: number; text: string }> {
    const [method = '', path = ''] = command.split(' ')
    const { parameters } = describedAt(command)
    const { type, example } = bodyOf(command)
    const filled = parameters
      .filter((parameter) => parameter.in === 'path')
      .reduce((url, { name, example: value }) => url.replace(`{${name}}`, String(value)), path)
    const response = await fetch(evident.url + filled, {
      method: method.toUpperCase(),
      headers: { 'content-type': type },
      body: typeof example === 'string' ? example : JSON.stringify(example),
    })
    return { status: response.status, text: await response.text() }
  }
})

const linesOf = (body: unknown): readonly unknown[] =>
  String(body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
