import type { Schema, Validator } from '../json-schema.ts'
import type { HeaderSheet } from './headers.ts'
import type { Request } from './request.ts'

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'

/**
 * Query parameters by name. `metadata.*` takes `metadata.<k>=<v>` for any k, as a record called
 * `metadata`. A parameter whose schema has a `default` is always there, `required` ones too.
 */
export type QuerySchemas = Readonly<Record<string, Schema>>

/** A body of one JSON value per line, handed over as bytes while it arrives. */
export interface Lines {
  readonly type: 'application/x-ndjson'
  /** The shape of a line, for the documentation: the handler checks it. */
  readonly lines: Schema
}

/** An answer's shape; `description` says what it is. Without a schema it has no body, or no JSON. */
export interface AnswerSchema {
  readonly description: string
  readonly schema?: Schema
  /** Media type, `application/json` unless told. */
  readonly type?: string
}

export type AnswerSchemas = Readonly<Record<number, AnswerSchema>>

/** What a handler answers: a value to write as JSON, or text that is final, or a stream of text. */
export interface Answer<Status extends number = number> {
  readonly status: Status
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly text?: string | Buffer
  readonly stream?: AsyncIterable<string>
}

export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: Request
}

/** One route: what it is, what it takes and answers, and what does it. Mounted and documented alike. */
export interface Operation {
  readonly method: Method
  /** `/ledgers/:ledger`, each `:name` described in `params`. */
  readonly path: string
  /** Unique, camelCase: the name in metrics, in the log and in generated clients. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly tag: string
  readonly params?: QuerySchemas
  readonly query?: QuerySchemas
  readonly requiredQuery?: readonly string[]
  /** Request headers that it reads, for the documentation. */
  readonly headers?: Readonly<Record<string, Schema>>
  /** `compile` of the schema of a JSON body, or a body of lines. */
  readonly body?: Validator<unknown> | Lines
  readonly maxBodyBytes?: number
  readonly answers: AnswerSchemas
  /** Codes it answers beside those that follow from its schemas. */
  readonly problems?: readonly string[]
  readonly sheet?: HeaderSheet
  handle(call: Call<unknown, unknown, unknown>): Promise<Answer> | Answer
}

type NamesIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

type Plain<Name> = Name extends `${infer Prefix}.*` ? Prefix : Name
type Value<Name, S> = Name extends `${string}.*`
  ? Readonly<Record<string, string>>
  : S extends { readonly type: 'integer' }
    ? number
    : S extends { readonly type: 'boolean' }
      ? boolean
      : string

type QueryOf<Q, Required> = {
  readonly [N in keyof Q as N extends Named<Q, Required> ? N : never]: Value<N, Q[N]>
} & {
  readonly [N in keyof Q as N extends Named<Q, Required> ? never : Plain<N>]?: Value<N, Q[N]>
}

/** Names of the parameters that are always there. */
type Named<Q, Required> =
  | Required
  | { [N in keyof Q]: Q[N] extends { readonly default: unknown } ? N : never }[keyof Q]

type BodyOf<B> =
  B extends Validator<infer T> ? T : B extends Lines ? AsyncIterable<Buffer> : undefined

/** A schema in a declaration. Checked by ajv when it is mounted: `Schema` itself is too deep here. */
type Literal = Readonly<Record<string, unknown>>

type Declaration<Path extends string, Q, R extends string, B, Status extends number> = Omit<
  Operation,
  'path' | 'params' | 'query' | 'requiredQuery' | 'body' | 'answers' | 'handle'
> & {
  readonly path: Path
  readonly query?: Q
  readonly requiredQuery?: readonly R[]
  readonly body?: B
  readonly answers: Readonly<Record<Status, AnswerSchema>>
  handle(
    call: Call<{ readonly [N in NamesIn<Path>]: string }, QueryOf<Q, R>, BodyOf<B>>,
  ): Promise<Answer<NoInfer<Status>>> | Answer<NoInfer<Status>>
} & ([NamesIn<Path>] extends [never]
    ? { readonly params?: never }
    : { readonly params: { readonly [N in NamesIn<Path>]: Literal } })

/** Declares a route; what its handler gets is typed by its schemas, what it answers by `answers`. */
export const operation = <
  const Path extends string,
  const Status extends number,
  const Q extends Readonly<Record<string, Literal>> = Record<never, never>,
  const R extends string = never,
  B extends Validator<unknown> | Lines | undefined = undefined,
>(
  declaration: Declaration<Path, Q, R, B, Status>,
): Operation => declaration as unknown as Operation

/** An answer of a value, written as JSON. */
export const json = <const Status extends number>(
  status: Status,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
): Answer<Status> => (headers ? { status, body, headers } : { status, body })

/** An answer of text, or bytes, that are there already. */
export const raw = <const Status extends number>(
  status: Status,
  text: string | Buffer,
  headers?: Readonly<Record<string, string>>,
): Answer<Status> => (headers ? { status, text, headers } : { status, text })
