import { json, type Operation, operation } from '../../platform/http/operation.ts'
import type { Schema } from '../../platform/json-schema.ts'
import type { ReadRoutes } from './read-routes.ts'

const text = { type: 'string' } as const

export const statusSchema = {
  type: 'object',
  properties: {
    projections: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          projection: { ...text, description: 'Its name and version: `accounts-v1`.' },
          build: { ...text, description: 'Which build of it is live: `accounts-v1.2`.' },
          position: { ...text, description: 'All of the log up to here is in it.' },
          lagSeconds: { type: 'number', description: 'Time since it was level with the log.' },
          isIncomplete: { type: 'boolean', description: 'Events were left out by decision.' },
          halted: { ...text, description: 'Why it stopped for good.' },
          parked: {
            type: 'array',
            description: 'Streams that wait because an event could not be applied.',
            items: {
              type: 'object',
              properties: { stream: text, revision: text, reason: text, parkedAt: text },
              required: ['stream', 'revision', 'reason', 'parkedAt'],
              additionalProperties: false,
            },
          },
        },
        required: ['projection', 'build', 'parked', 'isIncomplete'],
        additionalProperties: false,
      },
    },
  },
  required: ['projections'],
  additionalProperties: false,
} as const satisfies Schema

export const statusQueries = ({ status }: ReadRoutes): readonly Operation[] => [
  operation({
    method: 'GET',
    path: '/status',
    id: 'getStatus',
    tag: 'service',
    summary: 'How far each projection is, and what is parked',
    answers: { 200: { description: 'Every projection', schema: statusSchema } },
    handle: async () => json(200, { projections: await status() }),
  }),
]
