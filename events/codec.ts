import { canonicalJson } from '../platform/canonical-json.ts'
import {
  compileUntyped,
  type FromSchema,
  type Schema,
  type Validator,
} from '../platform/json-schema.ts'
import { type EventMetadata, isEventMetadata } from './event-metadata.ts'
import { DamagedLog, type NewEvent, type RecordedEvent } from './event-store.ts'

/** Lifts the stored data of one schema version to the next. Pure. */
export type Upcaster = (data: unknown) => unknown

/** An event type: today's version and shape, and the way there from each older one. */
export interface EventDefinition {
  readonly version: number
  readonly schema: Schema
  /** `upcasters[0]` lifts version 1 to 2, `upcasters[1]` version 2 to 3, and so on. */
  readonly upcasters?: readonly Upcaster[]
}

export type EventDefinitions = Readonly<Record<string, EventDefinition>>

/** The events of a category as a union of `{ type, data }`, from their schemas. */
export type EventOf<D extends EventDefinitions> = {
  [T in keyof D & string]: { readonly type: T; readonly data: FromSchema<D[T]['schema']> }
}[keyof D & string]

export interface DomainEvent {
  readonly type: string
  readonly data: unknown
}

/** An event as the code works with it: today's shape, with its place and its metadata. */
export type Decoded<E extends DomainEvent> = E & EventPlace

export interface EventPlace {
  readonly id: string
  readonly stream: string
  readonly revision: bigint
  readonly position: string
  readonly metadata: EventMetadata
}

/**
 * A command with a key that changed nothing leaves this, in any category, so that the key is
 * remembered. It says nothing of the domain: neither deciders nor projections get to see it.
 */
export interface CommandAccepted {
  readonly type: 'CommandAccepted'
  readonly data: Readonly<Record<string, never>>
}

const commandAccepted: EventDefinition = {
  version: 1,
  schema: { type: 'object', properties: {}, additionalProperties: false },
}

export const isDomainEvent = <E extends DomainEvent>(
  event: Decoded<E | CommandAccepted>,
): event is Decoded<E> => event.type !== 'CommandAccepted'

export type UnversionedMetadata = Omit<EventMetadata, 'schemaVersion'>

export interface Codec<E extends DomainEvent> {
  /** The event's final bytes. @throws {InvalidEvent} where it has not its schema's shape */
  encode(event: E | CommandAccepted, id: string, metadata: UnversionedMetadata): NewEvent
  /** Today's shape of a recorded event. @throws {UnknownEvent} @throws {DamagedLog} */
  decode(recorded: RecordedEvent): Decoded<E | CommandAccepted>
}

/** An event of a type or version that this program does not know: it halts rather than guesses. */
export class UnknownEvent extends Error {
  readonly code = 'UNKNOWN_EVENT'
}

/** Our own program made an event that its schema refuses. */
export class InvalidEvent extends Error {
  readonly code = 'INVALID_EVENT'
}

/** The codec of one category's events, `E` being `EventOf` its definitions. */
export function createCodec<E extends DomainEvent>(categoryEvents: EventDefinitions): Codec<E> {
  const definitions: EventDefinitions = { ...categoryEvents, CommandAccepted: commandAccepted }
  const validators = new Map<string, Validator<unknown>>()
  for (const [type, { schema, version, upcasters = [] }] of Object.entries(definitions)) {
    if (upcasters.length !== version - 1) throw new Error(`${type} lacks upcasters to v${version}`)
    validators.set(type, compileUntyped(schema))
  }

  return {
    encode(event, id, metadata) {
      const isValid = validators.get(event.type)
      const version = definitions[event.type]?.version
      if (!isValid || version === undefined) throw new InvalidEvent(`no event type ${event.type}`)
      if (!isValid(event.data)) throw new InvalidEvent(describe(event.type, isValid))
      const complete = withVersion(metadata, version)
      if (!isEventMetadata(complete)) throw new InvalidEvent(describe('metadata', isEventMetadata))
      return {
        id,
        type: event.type,
        data: canonicalJson(event.data),
        metadata: canonicalJson(complete),
      }
    },

    decode(recorded) {
      const { id, type, stream, revision, position } = recorded
      const place = `${stream}@${revision}`
      const definition = definitions[type]
      const isValid = validators.get(type)
      if (!definition || !isValid) throw new UnknownEvent(`${place}: type ${type} is not known`)
      const metadata: unknown = parse(recorded.metadata, place)
      if (!isEventMetadata(metadata)) throw new DamagedLog(`${place}: metadata is not valid`)
      const { schemaVersion } = metadata
      if (schemaVersion > definition.version) {
        throw new UnknownEvent(`${place}: ${type} v${schemaVersion} is newer than this program`)
      }
      let data: unknown = parse(recorded.data, place)
      for (const upcast of definition.upcasters?.slice(schemaVersion - 1) ?? []) data = upcast(data)
      if (!isValid(data)) throw new DamagedLog(`${place}: ${describe(type, isValid)}`)
      return { type, data, metadata, id, stream, revision, position } as Decoded<
        E | CommandAccepted
      >
    },
  }
}

/** Its keys in canonical order already, which is the quick way to canonical text. */
function withVersion(
  { causationId, command, correlationId, recordedAt, traceparent }: UnversionedMetadata,
  schemaVersion: number,
): EventMetadata {
  return {
    ...(causationId !== undefined && { causationId }),
    ...(command && { command }),
    ...(correlationId !== undefined && { correlationId }),
    recordedAt,
    schemaVersion,
    ...(traceparent !== undefined && { traceparent }),
  }
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DamagedLog(`${place}: not JSON`, { cause })
  }
}

function describe(what: string, validator: Validator<unknown>): string {
  const { pointer, message } = validator.violation()
  return `${what}${pointer} ${message}`
}
