import { assert, suite } from '../../harness.js'
import { errorOf, forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('string')

test('hello and the empty string are strings; null and 123 are not', () => {
  reads(validatorOf('string'), 'hello')
  reads(validatorOf('string'), '')
  refuses(validatorOf('string'), null, 'INVALID_TYPE', 'cannot be nil')
  refuses(validatorOf('string'), undefined, 'INVALID_TYPE', 'cannot be nil')
  for (const value of [123, true, [], {}, 1n, Symbol('hello')]) {
    refuses(validatorOf('string'), value, 'INVALID_TYPE', 'must be a string')
  }
})

test('lengths 3 to 10 accept hello, refuse 2 and 16 characters', () => {
  for (const constraints of [
    { min_length: 3, max_length: 10 },
    { minLength: 3, maxLength: 10 },
    { min_length: 3, minLength: 3, maxLength: 10 },
  ]) {
    const validator = validatorOf('string', constraints)
    for (const value of ['hello', 'abc', '0123456789']) reads(validator, value)
    refuses(validator, 'hi', 'CONSTRAINT', 'must be at least 3 characters, got 2')
    refuses(validator, 'this is too long', 'CONSTRAINT', 'must be at most 10 characters, got 16')
  }
})

test('lengths count characters, not UTF-16 units', () => {
  const three = validatorOf('string', { minLength: 3, maxLength: 3 })
  for (const value of ['😀😀😀', '世界!', 'a😀b', '\ud83d\ud83d\ud83d', '\ude00\ud83da']) reads(three, value)
  refuses(three, '😀😀', 'CONSTRAINT', 'must be at least 3 characters, got 2')
  refuses(three, '😀b', 'CONSTRAINT', 'must be at least 3 characters, got 2')
  refuses(three, '😀😀😀😀', 'CONSTRAINT', 'must be at most 3 characters, got 4')
})

test('the pattern ^[A-Z][a-z]+$ accepts Hello, refuses hello and HELLO', () => {
  for (const pattern of ['^[A-Z][a-z]+$', /^[A-Z][a-z]+$/, /^[A-Z][a-z]+$/g, /^[A-Z][a-z]+$/y]) {
    const validator = validatorOf('string', { pattern })
    for (let times = 0; times < 3; times++) reads(validator, 'Hello')
    refuses(validator, 'hello', 'CONSTRAINT', 'must match pattern: ^[A-Z][a-z]+$')
    refuses(validator, 'HELLO', 'CONSTRAINT', 'must match pattern: ^[A-Z][a-z]+$')
  }
})

test('a pattern is searched anywhere', () => {
  const validator = validatorOf('string', { pattern: '[0-9]{2}' })
  reads(validator, 'room 42 b')
  refuses(validator, 'room 4', 'CONSTRAINT', 'must match pattern: [0-9]{2}')
  reads(validatorOf('string', { pattern: /B/i }), 'abc')
  reads(validatorOf('string', { pattern: /42/y }), 'room 42')
})

test('a pattern sees characters as the lengths do, and needless escapes of other languages are legal', () => {
  reads(validatorOf('string', { pattern: '^.$' }), '😀')
  reads(validatorOf('string', { pattern: '^\\p{L}+$' }), 'größe')
  reads(validatorOf('string', { pattern: '^a\\-b$' }), 'a-b')
})

test('the enumeration red, green, blue refuses yellow', () => {
  const validator = validatorOf('string', { enum: ['red', 'green', 'blue'] })
  for (const value of ['red', 'green', 'blue']) reads(validator, value)
  refuses(validator, 'yellow', 'CONSTRAINT', 'must be one of: red, green, blue')
})

test('the first failure is reported: shortness, length, pattern, enumeration', () => {
  const validator = validatorOf('string', { minLength: 2, maxLength: 3, pattern: '^a', enum: ['abc'] })
  reads(validator, 'abc')
  refuses(validator, 'b', 'CONSTRAINT', 'must be at least 2 characters, got 1')
  refuses(validator, 'bbbb', 'CONSTRAINT', 'must be at most 3 characters, got 4')
  refuses(validator, 'bb', 'CONSTRAINT', 'must match pattern: ^a')
  refuses(validator, 'ab', 'CONSTRAINT', 'must be one of: abc')
})

test('a long value is shortened in the details of the error', () => {
  const validator = validatorOf('string', { max_length: 10 })
  const { details } = errorOf(() => validator.parse('x', 'a'.repeat(10_000)))
  assert.is(String(details['value']).length, 200)
  assert.equal(details['constraint'], { maxLength: 10 })
})

test('impossible constraints are refused', () => {
  forbids('string', { min_length: 5, max_length: 3 }, 'min_length 5 must not be above max_length 3')
  forbids('string', { minLength: 5, maxLength: 3 }, 'min_length 5 must not be above max_length 3')
  forbids('string', { minLength: NaN }, 'min_length must be a whole number, 0 or more, not NaN')
  forbids('string', { max_length: -1 }, 'max_length must be a whole number, 0 or more, not -1')
  forbids('string', { max_length: 1.5 }, 'max_length must be a whole number, 0 or more, not 1.5')
  forbids('string', { min_length: 1, minLength: 2 }, 'min_length and minLength mean the same')
  forbids('string', { pattern: '(' }, 'pattern must be a regular expression: Invalid regular expression')
  forbids('string', { pattern: 5 }, 'pattern must be a regular expression, not 5')
  forbids('string', { enum: [] }, 'enum must not be empty')
  forbids('string', { enum: 'red' }, 'enum must be an array of strings')
  forbids('string', { enum: ['red', 1] }, 'enum must be an array of strings')
  forbids('string', { enum: ['red'], minLength: 4 }, 'one of enum must pass the other constraints')
})

test.run()
