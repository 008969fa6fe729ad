import { BeamlineError } from '../../../src/errors.js'
import {
  compileValidator,
  defineType,
  type TypeDefinition,
  type Validator,
} from '../../../src/variables/types/index.js'
import { assert, suite } from '../../harness.js'
import { errorOf, forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('user types')
const module = new URL('./user-validators.js', import.meta.url)

const load = async (definition: TypeDefinition, constraints: object = {}): Promise<Validator> =>
  compileValidator('x', definition, constraints)

async function rejection(promise: Promise<unknown>): Promise<BeamlineError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof BeamlineError) return error
  return assert.unreachable(`no BeamlineError: ${String(error)}`) as never
}

const Percent = defineType({ name: 'percent', base: 'float', constraints: { min: 0, max: 100 } })

test('a derived type has its own name, its constraints and its base', () => {
  const validator = validatorOf(Percent)
  assert.is(validator.type, 'percent')
  assert.is(validator.base, 'float')
  assert.equal(validator.constraints, { min: 0, max: 100 })
  reads(validator, 50n, 50)
  refuses(validator, 101, 'CONSTRAINT', 'value 101 is above maximum 100')
  refuses(validator, 'many', 'INVALID_TYPE', 'must be a number')
})

test('a definition survives the way to another thread', () => {
  reads(validatorOf(structuredClone(Percent)), 50)
  const Word = defineType({ name: 'word', base: 'string', constraints: { pattern: /^\w+$/ } })
  reads(validatorOf(structuredClone(Word)), 'word')
})

test('a definition does not change with what it was made of', () => {
  const choices = ['a']
  const Letter = defineType({ name: 'letter', base: 'choice', constraints: { choices } })
  choices.push('b')
  refuses(validatorOf(Letter), 'b', 'CONSTRAINT', 'must be one of: a')
})

test('a variable may add constraints, but not change those of the type', () => {
  const validator = validatorOf(Percent, { step: 10, unit: '%', max: 100 })
  assert.equal(validator.constraints, { min: 0, max: 100, step: 10, unit: '%' })
  reads(validator, 20)
  refuses(validator, 25, 'CONSTRAINT', 'value 25 is not a multiple of step 10 counted from 0')
  forbids(Percent, { max: 200 }, 'max must be left out, as the type fixes it')
  forbids(Percent, { step: -1 }, 'step must be a finite number above 0')
  const Short = defineType({ name: 'short', base: 'string', constraints: { max_length: 5 } })
  forbids(Short, { maxLength: 10 }, 'max_length and maxLength mean the same')
  forbids(Short, { minLength: 10 }, 'min_length 10 must not be above max_length 5')
})

test('a validator with parse is asked after the base, and its answer is stored', async () => {
  const Trimmed = defineType({
    name: 'trimmed',
    base: 'string',
    module,
    export: 'trimmed',
    constraints: { minLength: 2 },
  })
  const validator = await load(structuredClone(Trimmed))
  assert.is(validator.type, 'trimmed')
  assert.is(validator.base, 'string')
  reads(validator, ' text ', 'text')
  refuses(validator, 5, 'INVALID_TYPE', 'must be a string')
  refuses(validator, 'a', 'CONSTRAINT', 'must be at least 2 characters, got 1')
  refuses(validator, 'no', 'CONSTRAINT', 'no is no answer')
  const { cause } = errorOf(() => validator.parse('x', 'no'))
  assert.instance(cause, RangeError)
})

test('a Zod schema is a validator', async () => {
  interface Money {
    amount: number
    currency: 'EUR' | 'USD'
  }
  const Money = defineType<Money>({ name: 'money', base: 'json', module, export: 'money' })
  const validator = await load(Money)
  reads(validator, { amount: 5, currency: 'EUR', note: 'dropped' }, { amount: 5, currency: 'EUR' })
  refuses(validator, { amount: -5, currency: 'EUR' }, 'CONSTRAINT', 'amount: Too small: expected number to be >=0')
  refuses(validator, { amount: NaN, currency: 'EUR' }, 'INVALID_TYPE', 'must be a JSON value, got NaN at amount')
})

test('any Standard Schema is a validator', async () => {
  const validator = await load(defineType({ name: 'double', base: 'integer', module, export: 'handmade' }))
  reads(validator, 4n, 8)
  refuses(validator, 7, 'CONSTRAINT', 'a[1]: is unlucky')
})

test('the export is the default one unless told', async () => {
  reads(await load(defineType({ name: 'any', base: 'string', module: module.href })), 'text')
})

test('a validator answers a value of the base type', async () => {
  const validator = await load(defineType({ name: 'dated', base: 'string', module, export: 'dated' }))
  const words = "the validator of 'dated' answered what its base type refuses (x: must be a string)"
  refuses(validator, '2026-01-01', 'INVALID_TYPE', words)
})

test('a validator may throw anything', async () => {
  const validator = await load(defineType({ name: 'text', base: 'string', module, export: 'throwsText' }))
  refuses(validator, '', 'CONSTRAINT', 'a mere text')
})

test('a validator that throws or answers nonsense refuses the value, and harms nobody', async () => {
  for (const [name, values] of [
    ['throwsNonsense', ['an error', 'bare', 'other']],
    ['senseless', ['nothing', 'no issue', 'no text', 'no path', 'no list']],
  ] as const) {
    const validator = await load(defineType({ name, base: 'string', module, export: name }))
    for (const value of values) assert.is(errorOf(() => validator.parse('x', value)).code, 'CONSTRAINT', value)
  }
})

test('a validator answers at once', async () => {
  for (const name of ['slow', 'slowAndFailing']) {
    const validator = await load(defineType({ name, base: 'float', module, export: name }))
    const error = errorOf(() => validator.parse('x', 1))
    assert.is(error.code, 'BAD_ENTRY')
    assert.is(error.message, `type '${name}': the validator must answer at once, not with a promise`)
  }
})

test('a module or an export that is not there is a bad entry, by name', async () => {
  const missing = new URL('./missing.js', import.meta.url).href
  const cases: [string | URL, string, string][] = [
    [missing, 'money', 'which cannot be loaded: Cannot find module'],
    [module, 'missing', 'which has no such export'],
    [module, 'five', 'where it must be an object with parse(value) or a Standard Schema'],
  ]
  for (const [from, name, words] of cases) {
    const error = await rejection(load(defineType({ name: 'a', base: 'string', module: from, export: name })))
    assert.is(error.code, 'BAD_ENTRY')
    const message = `type 'a': no validator '${name}' in the module ${String(from)}, ${words}`
    assert.is(error.message.slice(0, message.length), message)
    assert.is(error.cause instanceof Error, from === missing)
  }
})

test('impossible constraints of the type are refused where it is used', () => {
  const Odd = defineType({ name: 'odd', base: 'float', constraints: { min: 2, max: 1 } })
  forbids(Odd, {}, 'min 2 must not be above max 1')
})

test('a definition that is none is refused', () => {
  const refused: [unknown, string][] = [
    [null, 'must be what defineType() returns, not null'],
    [{ base: 'float' }, 'must have a name'],
    [{ name: '', base: 'float' }, 'must have a name'],
    [{ name: 'float', base: 'float' }, "must have a name of its own, not that of the built-in type 'float'"],
    [{ name: 'a', base: 'map' }, "'a' must have one of float, integer"],
    [{ name: 'a' }, "'a' must have one of float, integer"],
    [{ name: 'a', base: 'float', constraints: [] }, "'a' must have an object as its constraints"],
  ]
  for (const [definition, words] of refused) {
    for (const act of [
      () => defineType(definition as { name: string; base: 'float' }),
      () => compileValidator('x', definition as TypeDefinition),
    ]) {
      const error = errorOf(act)
      assert.is(error.code, 'INVALID_TYPE')
      assert.ok(error.message.includes(words), error.message)
    }
  }
})

test('a module that other threads could not find is refused', () => {
  for (const options of [{ module: './money.js' }, { module: '' }, { export: 'money' }]) {
    assert.is(errorOf(() => defineType({ name: 'a', base: 'float', ...options })).code, 'BAD_ENTRY')
  }
})

test('constraints that cannot travel are refused', () => {
  const constraints = { min: 0, check: () => true }
  assert.is(errorOf(() => defineType({ name: 'a', base: 'float', constraints })).code, 'NOT_CLONEABLE')
})

test.run()
