import { compile, type FromSchema, type Schema } from '../platform/json-schema.ts'
import { timestampSchema } from './shapes.ts'

/** What stands beside every event's data: when and why it was recorded, and by which command. */
export const eventMetadataSchema = {
  type: 'object',
  properties: {
    causationId: { type: 'string', maxLength: 256 },
    command: {
      type: 'object',
      description: 'The command that made the event. Its events stand together, in order.',
      properties: {
        caller: { type: 'string', minLength: 1, maxLength: 256 },
        count: { type: 'integer', minimum: 1, description: 'Events of this command.' },
        hash: { type: 'string', pattern: '^sha256:[A-Za-z0-9_-]{43}$' },
        index: { type: 'integer', minimum: 0, description: 'Place of this event among them.' },
        key: { type: 'string', minLength: 1, maxLength: 256 },
        type: { type: 'string', minLength: 1, maxLength: 64 },
      },
      required: ['caller', 'count', 'hash', 'index', 'type'],
      additionalProperties: false,
    },
    correlationId: { type: 'string', maxLength: 256 },
    recordedAt: timestampSchema,
    schemaVersion: { type: 'integer', minimum: 1 },
    traceparent: { type: 'string', maxLength: 55 },
  },
  required: ['recordedAt', 'schemaVersion'],
  additionalProperties: false,
} as const satisfies Schema

export type EventMetadata = FromSchema<typeof eventMetadataSchema>
export type CommandMetadata = NonNullable<EventMetadata['command']>

export const isEventMetadata = compile(eventMetadataSchema)
