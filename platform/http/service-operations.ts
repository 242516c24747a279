import type { Metrics } from '../metrics.ts'
import { problem } from './edge-problems.ts'
import { json, type Operation, operation, raw } from './operation.ts'
import type { ProblemDefinitions } from './problem.ts'

/** Whether one thing that the service needs is there; it says what is missing. Never rejects slowly. */
export interface ReadinessCheck {
  readonly name: string
  readonly check: () => Promise<void> | void
}

export interface ServiceOperationsOptions {
  readonly checks: readonly ReadinessCheck[]
  readonly metrics: Metrics
  /** Further figures, of other threads, in the same text format. */
  readonly moreMetrics?: () => Promise<string>
  readonly definitions: ProblemDefinitions
}

/** A check that takes longer counts as failed. */
export const readinessTimeoutMs = 2_000

const statusSchema = {
  type: 'object',
  properties: {
    status: { type: 'string' },
    checks: {
      type: 'object',
      additionalProperties: { type: 'string' },
      examples: [{ log: 'ok' }],
    },
  },
  required: ['status'],
  additionalProperties: false,
} as const

/** What every service has: health, readiness, metrics and the meaning of its problem codes. */
export const serviceOperations = ({
  checks,
  metrics,
  moreMetrics = async () => '',
  definitions,
}: ServiceOperationsOptions): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/healthz',
    id: 'getHealth',
    tag: 'service',
    summary: 'Whether the process runs',
    answers: { 200: { description: 'It does.', schema: statusSchema } },
    handle: () => json(200, { status: 'ok' }),
  }),
  operation({
    method: 'GET',
    path: '/readyz',
    id: 'getReadiness',
    tag: 'service',
    summary: 'Whether requests can be served',
    answers: { 200: { description: 'They can.', schema: statusSchema } },
    problems: ['not-ready'],
    async handle() {
      const results = await Promise.all(checks.map(runCheck))
      const failed = results.some(([, result]) => result !== 'ok')
      const members = { checks: Object.fromEntries(results) }
      if (failed) throw problem('not-ready', { members, headers: { 'Retry-After': '1' } })
      return json(200, { status: 'ok', ...members })
    },
  }),
  operation({
    method: 'GET',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'service',
    summary: 'Figures for Prometheus',
    answers: {
      200: {
        description: 'Prometheus text format',
        type: metrics.registry.contentType,
        schema: { type: 'string' },
      },
    },
    async handle() {
      const [own, more] = await Promise.all([metrics.registry.metrics(), moreMetrics()])
      return raw(200, `${own}${more}`)
    },
  }),
  operation({
    method: 'GET',
    path: '/problems/:code',
    id: 'getProblem',
    tag: 'service',
    summary: 'What a problem code means',
    params: { code: { type: 'string', maxLength: 64 } },
    answers: {
      200: {
        description: 'Its status, its title, and what to do.',
        schema: {
          type: 'object',
          properties: {
            code: { type: 'string' },
            status: { type: 'integer' },
            title: { type: 'string' },
            advice: { type: 'string' },
          },
          required: ['code', 'status', 'title', 'advice'],
          additionalProperties: false,
        },
      },
    },
    problems: ['not-found'],
    handle({ params: { code } }) {
      const definition = Object.hasOwn(definitions, code) ? definitions[code] : undefined
      if (!definition) throw problem('not-found')
      return json(200, { code, ...definition })
    },
  }),
]

/** The inside of a failure is not told: only that it failed. */
async function runCheck({ name, check }: ReadinessCheck): Promise<readonly [string, string]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('timed out'), readinessTimeoutMs)
  })
  const run = async () => {
    await check()
    return 'ok'
  }
  const result = await Promise.race([run().catch(() => 'failed'), late])
  clearTimeout(timer)
  return [name, result]
}
