import { suite } from '../../harness.js'
import { forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('float')

test('3.14 is a float, 42 is 42.0, infinity, minus infinity and NaN are floats', () => {
  for (const value of [3.14, 42, 0, -0, Infinity, -Infinity, NaN, Number.MAX_VALUE, 5e-324]) {
    reads(validatorOf('float'), value)
  }
})

test('integers become floats, those beyond 2^53 too', () => {
  reads(validatorOf('float'), 42n, 42)
  reads(validatorOf('float'), 2n ** 64n, 2 ** 64)
  refuses(validatorOf('float'), 10n ** 400n, 'INVALID_TYPE', 'must be a number')
})

test('the three strings that JSON needs are read', () => {
  reads(validatorOf('float'), 'NaN', NaN)
  reads(validatorOf('float'), 'Infinity', Infinity)
  reads(validatorOf('float'), '-Infinity', -Infinity)
})

test('everything else is no number', () => {
  for (const value of ['text', '3.14', 'inf', 'nan', '', true, false, null, undefined, [1], {}, () => 1, Symbol('1')]) {
    refuses(validatorOf('float'), value, 'INVALID_TYPE', 'must be a number')
  }
})

test('0.5 fits min 0 and max 1, the bounds too; -0.5 and 1.5 do not', () => {
  const validator = validatorOf('float', { min: 0, max: 1 })
  for (const value of [0.5, 0, -0, 1]) reads(validator, value)
  refuses(validator, -0.5, 'CONSTRAINT', 'value -0.5 is below minimum 0')
  refuses(validator, 1.5, 'CONSTRAINT', 'value 1.5 is above maximum 1')
  refuses(validator, 2n, 'CONSTRAINT', 'value 2 is above maximum 1')
})

test('NaN and the infinities pass min, max and step', () => {
  const validator = validatorOf('float', { min: 0, max: 1, step: 0.5 })
  for (const value of [NaN, Infinity, -Infinity]) reads(validator, value)
})

test('finite refuses them', () => {
  const validator = validatorOf('float', { finite: true, min: 0 })
  reads(validator, 1)
  refuses(validator, NaN, 'CONSTRAINT', 'must be finite, got NaN')
  refuses(validator, 'Infinity', 'CONSTRAINT', 'must be finite, got Infinity')
  refuses(validator, -1, 'CONSTRAINT', 'value -1 is below minimum 0')
  reads(validatorOf('float', { finite: false }), NaN)
})

test('a step is counted from 0, and forgives the rounding of binary floats', () => {
  const validator = validatorOf('float', { step: 0.1 })
  for (const value of [0, 0.1, 0.3, 0.1 + 0.2, -0.7, 1e6 + 0.1, 123456.7]) reads(validator, value)
  let sum = 0
  for (let steps = 0; steps < 1000; steps++) {
    sum += 0.1
    reads(validator, sum)
  }
  refuses(validator, 0.25, 'CONSTRAINT', 'value 0.25 is not a multiple of step 0.1')
  refuses(validator, 0.1001, 'CONSTRAINT', 'value 0.1001 is not a multiple of step 0.1')
})

test('a step is counted from min where there is one', () => {
  const validator = validatorOf('float', { min: 0.05, max: 1, step: 0.1 })
  for (const value of [0.05, 0.15, 0.95]) reads(validator, value)
  refuses(validator, 0.1, 'CONSTRAINT', 'value 0.1 is not a multiple of step 0.1 counted from 0.05')
  const tens = validatorOf('float', { min: 5, step: 10 })
  for (const value of [5, 15, 1e15 + 5]) reads(tens, value)
  refuses(tens, 10, 'CONSTRAINT', 'value 10 is not a multiple of step 10 counted from 5')
  refuses(tens, 15.5, 'CONSTRAINT', 'value 15.5 is not a multiple of step 10 counted from 5')
})

test('a step counts from 0 below a min of minus infinity', () => {
  reads(validatorOf('float', { min: -Infinity, step: 2 }), 4)
})

test('min is checked before max and max before step', () => {
  const validator = validatorOf('float', { min: 0, max: 10, step: 4 })
  refuses(validator, -1, 'CONSTRAINT', 'value -1 is below minimum 0')
  refuses(validator, 11, 'CONSTRAINT', 'value 11 is above maximum 10')
})

test('impossible constraints are refused', () => {
  forbids('float', { min: 3, max: 1 }, 'min 3 must not be above max 1')
  forbids('float', { min: NaN }, 'min must be a number, not NaN')
  forbids('float', { max: NaN }, 'max must be a number, not NaN')
  forbids('float', { min: '0' }, 'min must be a number, not a string')
  forbids('float', { min: Infinity }, 'min must be below Infinity')
  forbids('float', { max: -Infinity }, 'max must be above -Infinity')
  forbids('float', { step: 0 }, 'step must be a finite number above 0, not 0')
  forbids('float', { step: -1 }, 'step must be a finite number above 0, not -1')
  forbids('float', { step: NaN }, 'step must be a number, not NaN')
  forbids('float', { step: Infinity }, 'step must be a finite number above 0, not Infinity')
  forbids('float', { finite: 1 }, 'finite must be true or false, not 1')
})

test.run()
