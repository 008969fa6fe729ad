import { isDeepStrictEqual } from 'node:util'
import type { ZodType } from 'zod'
import { BeamlineError } from '../../errors.js'
import { type Compiled, compileBuiltIn } from './built-in.js'
import { ConstraintReader } from './constraint-reader.js'
import { checkDefinition, isTypeName } from './definition.js'
import type { Parse } from './refusal.js'
import { delegatingSchema } from './schema.js'
import { loadUserParser } from './user-validator.js'
import { type ConstraintsOf, type TypeDefinition, type TypeName, typeNames, type ValueOf } from './value-types.js'

/** The type of one variable with its constraints, compiled. */
export interface Validator<T = unknown> {
  /** The declared type's name; a user's own type has its own. */
  readonly type: string
  /** The built-in type as which the values travel. */
  readonly base: TypeName
  /** All constraints as they were given, unknown keys too; those of a user's type among them. */
  readonly constraints: Readonly<Record<string, unknown>>
  /** The same check as a Zod schema, built when it is first asked for. */
  readonly schema: ZodType<T>
  /**
   * The value as it is stored. `name` is the variable's, for messages.
   * @throws BeamlineError INVALID_TYPE for a value that is not of the type; its `details` have `name`, `type`, `reason`
   *   (the message without the name) and the `value` if it is a scalar
   * @throws BeamlineError CONSTRAINT for one that breaks a constraint, which `details.constraint` has
   */
  readonly parse: Parse<T>
}

/**
 * Compiles a type and its constraints, once per definition. Only a user's type with a module needs a promise.
 * @throws BeamlineError INVALID_TYPE for a type that there is not
 * @throws BeamlineError CONSTRAINT, beginning `Invalid constraints`, for malformed constraints, or such as nothing fits
 * @throws BeamlineError BAD_ENTRY when the module of a user's type does not export a validator
 */
export function compileValidator<Type extends TypeName, const Constraints extends ConstraintsOf<Type>>(
  name: string,
  type: Type,
  constraints?: Constraints,
): Validator<ValueOf<Type, Constraints>>
export function compileValidator<T>(
  name: string,
  type: TypeDefinition<T>,
  constraints?: object,
): Validator<T> | Promise<Validator<T>>
export function compileValidator(
  name: string,
  type: string | TypeDefinition,
  constraints?: object,
): Validator | Promise<Validator>
export function compileValidator(
  name: string,
  type: string | TypeDefinition,
  constraints: unknown = {},
): Validator | Promise<Validator> {
  if (typeof type !== 'string') return compileDefinition(name, checkDefinition(type), constraints)
  if (!isTypeName(type)) {
    const message = `${name}: Unknown type '${type}': must be one of ${typeNames.join(', ')}`
    throw new BeamlineError('INVALID_TYPE', message, { details: { name, type } })
  }
  const reader = new ConstraintReader(name, type, constraints)
  return new CompiledValidator(reader, type, compileBuiltIn(type, reader))
}

function compileDefinition(
  name: string,
  definition: TypeDefinition,
  constraints: unknown,
): Validator | Promise<Validator> {
  const { name: type, base } = definition
  const reader = new ConstraintReader(name, type, constraints)
  for (const [key, value] of Object.entries(definition.constraints)) {
    if (Object.hasOwn(reader.given, key) && !isDeepStrictEqual(reader.given[key], value)) {
      reader.refuse(`${key} must be left out, as the type fixes it`)
    }
  }
  const both = new ConstraintReader(name, type, { ...reader.given, ...definition.constraints })
  const compiled = compileBuiltIn(base, both)
  if (definition.module === undefined) return new CompiledValidator(both, base, compiled)
  return loadUserParser(definition, compiled.parse).then((parse) => {
    return new CompiledValidator(both, base, { parse, schema: () => delegatingSchema(name, parse) })
  })
}

class CompiledValidator implements Validator {
  readonly type: string
  readonly base: TypeName
  readonly constraints: Readonly<Record<string, unknown>>
  readonly parse: Parse
  readonly #build: () => ZodType
  #schema: ZodType | undefined

  constructor({ type, given }: ConstraintReader, base: TypeName, { parse, schema }: Compiled) {
    this.type = type
    this.base = base
    this.constraints = given
    this.parse = parse
    this.#build = schema
  }

  get schema(): ZodType {
    this.#schema ??= this.#build()
    return this.#schema
  }
}
