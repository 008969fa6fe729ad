import { compileValidator, typeNames } from '../../../src/variables/types/index.js'
import { assert, suite } from '../../harness.js'
import { errorOf, forbids, reads, validatorOf } from './expectations.js'

const test = suite('compileValidator')

test('the built-in types are known, and travel as themselves', () => {
  for (const type of typeNames) {
    const validator = validatorOf(type)
    assert.is(validator.type, type)
    assert.is(validator.base, type)
    assert.equal(validator.constraints, {})
  }
})

test('an unknown type is refused', () => {
  for (const type of ['map', 'list', 'Float', '', 'constructor', '__proto__']) {
    const error = errorOf(() => compileValidator('speed', type))
    assert.is(error.code, 'INVALID_TYPE')
    assert.ok(error.message.startsWith(`speed: Unknown type '${type}': must be one of float, integer, string`))
  }
})

test('errors name the variable, and carry the type, the value and the constraint', () => {
  const validator = compileValidator('temperature', 'float', { min: 0, max: 2 })
  const above = errorOf(() => validator.parse('temperature', 3))
  assert.is(above.message, 'temperature: value 3 is above maximum 2')
  const reason = 'value 3 is above maximum 2'
  assert.equal(above.details, { name: 'temperature', type: 'float', reason, value: 3, constraint: { max: 2 } })
  const text = errorOf(() => validator.parse('temperature', 'hot'))
  assert.equal(text.details, { name: 'temperature', type: 'float', reason: 'must be a number', value: 'hot' })
})

test('the details of an error can always be cloned', () => {
  for (const value of [() => 1, Symbol('s'), new WeakMap(), undefined, { f: () => 1 }]) {
    for (const type of typeNames.filter((name) => name !== 'json')) {
      structuredClone(errorOf(() => validatorOf(type).parse('x', value)).details)
    }
  }
  structuredClone(errorOf(() => validatorOf('string', { pattern: /a/ }).parse('x', 'b')).details)
})

test('unknown constraints are kept and ignored', () => {
  const constraints = { min: 0, unit: 'K', tags: ['a'] }
  const validator = validatorOf('float', constraints)
  reads(validator, 5)
  assert.equal(validator.constraints, constraints)
  assert.ok(Object.isFrozen(validator.constraints))
})

test('a constraint that is null or undefined is none', () => {
  reads(validatorOf('float', { min: null, max: undefined, step: null }), -5)
  reads(validatorOf('string', { pattern: null, enum: null, min_length: null, minLength: 2 }), 'ab')
})

test('constraints that are inherited are none', () => {
  reads(validatorOf('float', Object.create(null) as object), -5)
  forbids('float', Object.create({ min: 0 }), 'they must be an object')
})

test('constraints that are no object are refused', () => {
  for (const type of typeNames) {
    forbids(type, null, 'they must be an object such as { min: 0 }, not null')
    forbids(type, [], 'not an array')
    forbids(type, 'min', 'not a string')
    forbids(type, new Map(), 'not an instance of Map')
  }
})

test('the schema is built once, when it is asked for', () => {
  const validator = validatorOf('float')
  assert.is(validator.schema, validator.schema)
})

test.run()
