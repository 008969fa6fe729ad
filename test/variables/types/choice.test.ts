import { suite } from '../../harness.js'
import { forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('choice')

test('choices a, b, c accept a and refuse d', () => {
  const validator = validatorOf('choice', { choices: ['a', 'b', 'c'] })
  for (const value of ['a', 'b', 'c']) reads(validator, value)
  refuses(validator, 'd', 'CONSTRAINT', 'must be one of: a, b, c')
})

test('choice type with validation', () => {
  const validator = validatorOf('choice', { choices: ['development', 'staging', 'production'] })
  for (const value of ['development', 'staging', 'production']) reads(validator, value)
  refuses(validator, 'testing', 'CONSTRAINT', 'must be one of: development, staging, production')
})

test('only strings are choices', () => {
  for (const validator of [validatorOf('choice'), validatorOf('choice', { choices: ['1', 'null'] })]) {
    for (const value of [1, null, undefined, true, ['1']]) {
      refuses(validator, value, 'INVALID_TYPE', 'must be a string')
    }
  }
})

test('without choices any string is one', () => {
  for (const value of ['anything', '']) reads(validatorOf('choice'), value)
  reads(validatorOf('choice', { choices: null }), 'anything')
})

test('choices may repeat, be empty, or be the names of properties', () => {
  const validator = validatorOf('choice', { choices: ['a', '', 'a', '__proto__', '0'] })
  for (const value of ['a', '', '__proto__', '0']) reads(validator, value)
  refuses(validator, 'constructor', 'CONSTRAINT', 'must be one of: a, , __proto__, 0')
})

test('later changes to the list are not seen', () => {
  const choices = ['a']
  const validator = validatorOf('choice', { choices })
  choices.push('b')
  refuses(validator, 'b', 'CONSTRAINT', 'must be one of: a')
})

test('impossible constraints are refused', () => {
  forbids('choice', { choices: [] }, 'choices must not be empty, as no value would fit: leave it out to allow all')
  forbids('choice', { choices: [1, 2] }, 'choices must be an array of strings')
  forbids('choice', { choices: 'a' }, 'choices must be an array of strings')
  forbids('choice', { choices: { a: 1 } }, 'choices must be an array of strings')
})

test.run()
