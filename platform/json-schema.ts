import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { ExtendedJSONSchema, FromExtendedSchema } from 'json-schema-to-ts'

/** `problem` names the stable code that a caller gets when this part of a value is wrong. */
type Keywords = { readonly problem?: string }

/** A JSON Schema literal: the one source of a shape, of its type and of its documentation. */
export type Schema = ExtendedJSONSchema<Keywords>
export type FromSchema<S extends Schema> = FromExtendedSchema<Keywords, S>

export interface SchemaViolation {
  /** JSON pointer to the part that is wrong, empty for the whole. */
  readonly pointer: string
  readonly message: string
  readonly kind: 'unknown-field' | 'missing-field' | 'wrong-value'
  /** The `problem` of the schema that was violated. */
  readonly problem: string | undefined
}

/** Says whether a value has the schema's shape; `violation` tells what was wrong with the last. */
export interface Validator<T> {
  (value: unknown): value is T
  readonly schema: Schema
  readonly violation: () => SchemaViolation
}

const ajv = new Ajv({ strict: true, verbose: true, allowUnionTypes: true })
ajv.addKeyword({ keyword: 'problem', schemaType: 'string' })

/** Compiles a schema literal into a validator of its type, which stops at the first error. */
export const compile = <const S extends Schema>(schema: S): Validator<FromSchema<S>> =>
  compileUntyped(schema) as Validator<FromSchema<S>>

/** The same for a schema that is known only while running. */
export function compileUntyped(schema: Schema): Validator<unknown> {
  let validate: ValidateFunction | undefined
  const check = (value: unknown): value is unknown => {
    validate ??= ajv.compile(schema as object) // at first use: starting up compiles nothing
    return validate(value)
  }
  return Object.assign(check, { schema, violation: () => violationOf(validate?.errors?.[0]) })
}

function violationOf(error: ErrorObject | undefined): SchemaViolation {
  if (!error) {
    return { pointer: '', message: 'is not valid', kind: 'wrong-value', problem: undefined }
  }
  const problem = (error.parentSchema as Keywords | undefined)?.problem
  const unknown = error.params.additionalProperty as string | undefined
  if (unknown !== undefined) {
    const pointer = `${error.instancePath}/${escapePointer(unknown)}`
    return { pointer, message: 'is an unknown field', kind: 'unknown-field', problem }
  }
  const missing = error.params.missingProperty as string | undefined
  if (missing !== undefined) {
    const pointer = `${error.instancePath}/${escapePointer(missing)}`
    return { pointer, message: 'is missing', kind: 'missing-field', problem }
  }
  const key = error.propertyName
  const pointer = key === undefined ? '' : `/${escapePointer(key)}`
  const message = messageOf(error)
  return { pointer: error.instancePath + pointer, message, kind: 'wrong-value', problem }
}

/** What must be, in words; `params` are those of the keyword. */
function messageOf({ keyword, params, message, propertyName }: ErrorObject): string {
  switch (keyword) {
    case 'pattern':
      return propertyName === undefined ? 'has another form' : 'is a key of another form'
    case 'type':
      return `must be of the type ${[params.type].flat().join(' or ')}`
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`
    case 'minItems':
    case 'minLength':
      return `must have ${params.limit} ${keyword === 'minItems' ? 'items' : 'characters'} or more`
    case 'maxItems':
    case 'maxLength':
      return `must have ${params.limit} ${keyword === 'maxItems' ? 'items' : 'characters'} or fewer`
    default:
      return message ?? 'is not valid'
  }
}

const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
