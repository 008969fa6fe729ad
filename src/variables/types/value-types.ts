/** The built-in types of variables, in the order in which messages list them. */
export const typeNames = [
  'float',
  'integer',
  'string',
  'boolean',
  'choice',
  'module',
  'embedding',
  'tensor',
  'json',
] as const

/** The name of a built-in type. */
export type TypeName = (typeof typeNames)[number]

/** Arrays of numbers, nested to any depth. */
export type NestedNumbers = readonly (number | NestedNumbers)[]

/** A tensor: `data` has as many numbers as the product of `shape`, row-major, flat or nested as it was written. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: NestedNumbers
  /** Whatever else the writer added (`dtype`, `device`, …), as JSON. */
  readonly [key: string]: unknown
}

/** Everything JSON can say. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** Limits of a float. NaN and the infinities pass `min`, `max` and `step`; `finite` refuses them. */
interface FloatConstraints {
  /** Inclusive. */
  readonly min?: number
  /** Inclusive. */
  readonly max?: number
  /** The value is a multiple of it, counted from `min`, or from 0; the rounding of binary floats is forgiven. */
  readonly step?: number
  /** Refuses NaN and the infinities. Default false. */
  readonly finite?: boolean
}

/** Limits of an integer. */
interface IntegerConstraints {
  /** Inclusive. Given as a bigint, it types the variable's value as `number | bigint`. */
  readonly min?: number | bigint
  /** Inclusive. Given as a bigint, it types the variable's value as `number | bigint`. */
  readonly max?: number | bigint
  /** A whole number: the value is a multiple of it, counted from `min`, or from 0 without one. */
  readonly step?: number | bigint
}

/** Limits of a string, checked in this order. Lengths count characters (Unicode code points), not UTF-16 units. */
interface StringConstraints {
  readonly minLength?: number
  readonly maxLength?: number
  /** The same as `minLength`, as Python programs write it. */
  readonly min_length?: number
  /** The same as `maxLength`, as Python programs write it. */
  readonly max_length?: number
  /** Searched anywhere in the value: write `^…$` for all of it. A text is read with the `u` flag where it can be. */
  readonly pattern?: string | RegExp
  /** The only values allowed. */
  readonly enum?: readonly string[]
}

/** Limits of a choice. */
interface ChoiceConstraints {
  /** The only values allowed; any string without them. */
  readonly choices?: readonly string[]
}

/** Limits of a module's name. */
interface ModuleConstraints {
  /** The value is `namespace.Something`. */
  readonly namespace?: string
  /** The only values allowed, with or without the namespace: a value may be written so too, and is read with it. */
  readonly choices?: readonly string[]
  /** As `choices`, under the name the Python client knows. */
  readonly allowedModules?: readonly string[]
  /** The same as `allowedModules`, as Python programs write it. */
  readonly allowed_modules?: readonly string[]
  /** Searched anywhere in the whole name. */
  readonly pattern?: string | RegExp
}

/** Limits of an embedding. */
interface EmbeddingConstraints {
  /** The exact number of numbers, 1 or more. */
  readonly dimensions?: number
  /** Refuses NaN and the infinities. Default false. */
  readonly finite?: boolean
}

/** Limits of a tensor. */
interface TensorConstraints {
  /** The exact shape. */
  readonly shape?: readonly number[]
  /** Refuses NaN and the infinities. Default false. */
  readonly finite?: boolean
}

/** Limits of a JSON value. */
interface JsonConstraints {
  /** A JSON Schema (draft 2020-12) that the value fits. It only checks: its `default`s are not filled in. */
  readonly schema?: Readonly<Record<string, unknown>>
}

interface ConstraintsByType {
  float: FloatConstraints
  integer: IntegerConstraints
  string: StringConstraints
  boolean: Readonly<Record<string, never>>
  choice: ChoiceConstraints
  module: ModuleConstraints
  embedding: EmbeddingConstraints
  tensor: TensorConstraints
  json: JsonConstraints
}

declare const valueType: unique symbol

/** A user's own type as plain data, which any thread can receive; `defineType` makes one. */
export interface TypeDefinition<T = unknown, Base extends TypeName = TypeName> {
  readonly name: string
  /** The built-in type as which the values travel. */
  readonly base: Base
  /** What every variable of the type obeys. */
  readonly constraints: Readonly<Record<string, unknown>>
  /** The module with the type's validator. */
  readonly module?: string
  /** The validator's name in the module. */
  readonly export?: string
  /** Never there: it only carries `T`. */
  readonly [valueType]?: T
}

/** What may be asked of the values of a type: a built-in type's name, or a user's own type (that of its base). */
export type ConstraintsOf<Type> = Type extends TypeName
  ? ConstraintsByType[Type]
  : Type extends TypeDefinition<unknown, infer Base>
    ? ConstraintsByType[Base]
    : Readonly<Record<string, unknown>>

/**
 * What a variable of the type holds, given its constraints:
 * - `choice` with constant `choices` and `string` with a constant `enum` are the union of those literals;
 * - `integer` is a number, and `number | bigint` when `min` or `max` is given as a bigint (whatever the type says, a
 *   whole number beyond 2^53 is held as a bigint, exactly);
 * - a user's own type is what its definition says; a type known only at run time is `unknown`.
 */
export type ValueOf<Type, Constraints = unknown> =
  Type extends TypeDefinition<infer T> ? T : Type extends TypeName ? BuiltInValue<Constraints>[Type] : unknown

interface BuiltInValue<Constraints> {
  float: number
  integer: Constraints extends { readonly min: bigint } | { readonly max: bigint } ? number | bigint : number
  string: Constraints extends { readonly enum: readonly (infer Value extends string)[] } ? Value : string
  boolean: boolean
  choice: Constraints extends { readonly choices: readonly (infer Value extends string)[] } ? Value : string
  module: string
  embedding: readonly number[]
  tensor: Tensor
  json: JsonValue
}
