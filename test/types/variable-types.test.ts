import {
  type ConstraintsOf,
  compileValidator,
  defineType,
  type JsonValue,
  type Tensor,
  type TypeDefinition,
  type TypeName,
  type ValueOf,
} from '../../src/variables/types/index.js'
import { assert, suite } from '../harness.js'

const test = suite('types of variables')

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only where both types are the same. */
function is<A, B>(same: Same<A, B>): void {
  assert.ok(same)
}

/** As `ctx.define` infers. */
function define<Type extends TypeName | TypeDefinition, const Constraints extends ConstraintsOf<Type>>(
  _type: Type,
  initial: ValueOf<Type, Constraints>,
  _options?: { constraints?: Constraints },
): { value: ValueOf<Type, Constraints> } {
  return { value: initial }
}

interface Money {
  amount: number
  currency: string
}
const Percent = defineType({ name: 'percent', base: 'float', constraints: { min: 0 } })
const Level = defineType({ name: 'level', base: 'choice', constraints: { choices: ['low', 'high'] } })
const Price = defineType<Money>({ name: 'price', base: 'json', module: import.meta.url, export: 'price' })

test('each built-in type has its value', () => {
  is<ValueOf<'float'>, number>(true)
  is<ValueOf<'integer'>, number>(true)
  is<ValueOf<'string'>, string>(true)
  is<ValueOf<'boolean'>, boolean>(true)
  is<ValueOf<'choice'>, string>(true)
  is<ValueOf<'module'>, string>(true)
  is<ValueOf<'embedding'>, readonly number[]>(true)
  is<ValueOf<'tensor'>, Tensor>(true)
  is<ValueOf<'json'>, JsonValue>(true)
  is<ValueOf<string>, unknown>(true)
})

test('constant choices are a union of literals', () => {
  const { value } = define('choice', 'a', { constraints: { choices: ['a', 'b'] } })
  is<typeof value, 'a' | 'b'>(true)
  // @ts-expect-error: c is no choice
  define('choice', 'c', { constraints: { choices: ['a', 'b'] } })
  const { value: colour } = define('string', 'red', { constraints: { enum: ['red', 'green'] } })
  is<typeof colour, 'red' | 'green'>(true)
})

test('choices known only at run time, or none, are any string', () => {
  const choices: string[] = ['a']
  const { value } = define('choice', 'z', { constraints: { choices } })
  is<typeof value, string>(true)
  is<ReturnType<typeof define<'choice', ConstraintsOf<'choice'>>>['value'], string>(true)
})

test('an integer with a bigint bound may be a bigint', () => {
  const { value: big } = define('integer', 5n, { constraints: { max: 2n ** 64n } })
  is<typeof big, number | bigint>(true)
  const { value: small } = define('integer', 5, { constraints: { min: 0, max: 10 } })
  is<typeof small, number>(true)
  // @ts-expect-error: no bound is a bigint
  define('integer', 5n, { constraints: { min: 0 } })
})

test('values of another type do not compile', () => {
  // @ts-expect-error: text is no float
  define('float', 'hot')
  // @ts-expect-error: a number is no boolean
  define('boolean', 1)
  // @ts-expect-error: a tensor has a shape
  define('tensor', { data: [1] })
  // @ts-expect-error: a function is no JSON
  define('json', () => 1)
})

test('constraints of another type do not compile', () => {
  const min: ConstraintsOf<'float'> = { min: 0, max: 1, step: 0.1 }
  // @ts-expect-error: a float has no choices
  const choices: ConstraintsOf<'float'> = { choices: ['a'] }
  // @ts-expect-error: a boolean has no constraints
  const none: ConstraintsOf<'boolean'> = { min: 0 }
  // @ts-expect-error: a length is a number
  const length: ConstraintsOf<'string'> = { minLength: '3' }
  assert.ok(min && choices && none && length)
  is<ConstraintsOf<typeof Percent>, ConstraintsOf<'float'>>(true)
})

test('a tensor may be flat or nested', () => {
  define('tensor', { shape: [2, 2], data: [1, 2, 3, 4] })
  define('tensor', {
    shape: [2, 2],
    data: [
      [1, 2],
      [3, 4],
    ],
    dtype: 'float32',
  })
})

test('a type of your own has the value of its base, or what it says', () => {
  is<ValueOf<typeof Percent>, number>(true)
  is<ValueOf<typeof Level>, 'low' | 'high'>(true)
  is<ValueOf<typeof Price>, Money>(true)
  define(Price, { amount: 1, currency: 'EUR' })
  // @ts-expect-error: no amount
  define(Price, { currency: 'EUR' })
  // @ts-expect-error: a base has a built-in type
  assert.throws(() => defineType({ name: 'a', base: 'map' }))
  // @ts-expect-error: a float has no choices
  defineType({ name: 'a', base: 'float', constraints: { choices: ['a'] } })
})

test('a validator of a built-in type is typed, and needs no promise', () => {
  const value = compileValidator('x', 'choice', { choices: ['a', 'b'] }).parse('x', 'a')
  is<typeof value, 'a' | 'b'>(true)
  const price = compileValidator('x', Percent)
  if (!(price instanceof Promise)) is<ReturnType<typeof price.parse>, number>(true)
})

test.run()
