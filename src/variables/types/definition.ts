import { nameOf } from '../../actors/entry.js'
import { BeamlineError } from '../../errors.js'
import { isPlainObject, kindOf } from './refusal.js'
import { type ConstraintsOf, type TypeDefinition, type TypeName, typeNames, type ValueOf } from './value-types.js'

/** What {@link defineType} makes a type of. */
export interface TypeOptions<Base extends TypeName = TypeName> {
  /** The type's name: what `describe` and messages call it. Not that of a built-in type. */
  readonly name: string
  /** The built-in type that checks a value first, and as which it travels to other threads and programs. */
  readonly base: Base
  /** What every variable of the type obeys. A variable may add constraints, but not change these. */
  readonly constraints?: ConstraintsOf<Base>
  /**
   * The module with the type's validator, usually `import.meta.url`. It is loaded on the thread of each context that
   * defines a variable of the type.
   */
  readonly module?: string | URL
  /**
   * The validator's name in `module`: an object with `parse(value)`, which answers the value to store or throws, or any
   * Standard Schema (Zod, Valibot, ArkType, …). It is asked after the base type, must answer at once, and what it
   * answers must again be a value of the base type. Default `default`.
   */
  readonly export?: string
}

/**
 * Defines a type of your own, as plain data that any thread can receive: a built-in type with constraints, or one with
 * a validator in a module, since a function cannot cross threads.
 *
 * ```ts
 * const Percent = defineType({ name: 'percent', base: 'float', constraints: { min: 0, max: 100 } })
 * export const euro = z.templateLiteral([z.number(), ' EUR'])
 * const Euro = defineType<`${number} EUR`>({ name: 'euro', base: 'string', module: import.meta.url, export: 'euro' })
 * ```
 *
 * The value's type is that of the base, unless it is named as above.
 * @throws BeamlineError INVALID_TYPE for a definition that is none
 * @throws BeamlineError BAD_ENTRY for a module that other threads could not find
 * @throws BeamlineError NOT_CLONEABLE for constraints that cannot be sent to another thread
 */
export function defineType<Base extends TypeName, const Constraints extends ConstraintsOf<Base> = ConstraintsOf<Base>>(
  options: TypeOptions<Base> & { readonly constraints?: Constraints },
): TypeDefinition<ValueOf<Base, Constraints>, Base>
export function defineType<T = never>(options: [T] extends [never] ? never : TypeOptions): TypeDefinition<T>
export function defineType(options: TypeOptions): TypeDefinition {
  return checkDefinition(options)
}

/** Whether there is a built-in type of that name. */
export function isTypeName(name: unknown): name is TypeName {
  return (typeNames as readonly unknown[]).includes(name)
}

/** A definition, whoever made it; see {@link defineType} for the errors. */
export function checkDefinition(definition: unknown): TypeDefinition {
  if (!isPlainObject(definition)) throw invalid(`must be what defineType() returns, not ${kindOf(definition)}`)
  const { name, base, constraints = {}, module, export: exported } = definition
  if (typeof name !== 'string' || name === '') throw invalid('must have a name')
  if (isTypeName(name)) throw invalid(`must have a name of its own, not that of the built-in type '${name}'`)
  if (!isTypeName(base)) throw invalid(`'${name}' must have one of ${typeNames.join(', ')} as its base`)
  if (!isPlainObject(constraints)) throw invalid(`'${name}' must have an object as its constraints`)
  const plain = { name, base, constraints: Object.freeze(cloned(name, constraints)) }
  if (module === undefined && exported === undefined) return Object.freeze(plain)
  // The module is none when only an export is named, which nameOf refuses.
  const entry = nameOf({ module: module as string, ...(exported !== undefined && { export: exported as string }) })
  return Object.freeze({ ...plain, ...entry })
}

function cloned(name: string, constraints: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return structuredClone(constraints)
  } catch (cause) {
    const message = `the constraints of the type '${name}' must be plain data, as other threads receive them`
    throw new BeamlineError('NOT_CLONEABLE', message, { cause, details: { type: name } })
  }
}

function invalid(words: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `a user's type ${words}`)
}
