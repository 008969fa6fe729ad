import { suite } from '../../harness.js'
import { forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('integer')

test('42, -100 and 0 are integers, 42.0 becomes 42', () => {
  for (const value of [42, -100, 0, 42.0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    reads(validatorOf('integer'), value)
  }
})

test('minus zero is the integer 0', () => reads(validatorOf('integer'), -0, 0))

test('3.14 is no whole number, "42" is no integer', () => {
  refuses(validatorOf('integer'), 3.14, 'INVALID_TYPE', 'must be a whole number, got 3.14')
  refuses(validatorOf('integer'), 1.5, 'INVALID_TYPE', 'must be a whole number, got 1.5')
  for (const value of ['42', 'not a number', '', true, false, null, undefined, [], {}, Symbol('42')]) {
    refuses(validatorOf('integer'), value, 'INVALID_TYPE', 'must be an integer')
  }
})

test('NaN and the infinities are no whole numbers', () => {
  refuses(validatorOf('integer'), NaN, 'INVALID_TYPE', 'must be a whole number, got NaN')
  refuses(validatorOf('integer'), Infinity, 'INVALID_TYPE', 'must be a whole number, got Infinity')
  refuses(validatorOf('integer'), -Infinity, 'INVALID_TYPE', 'must be a whole number, got -Infinity')
})

test('a bigint is a number where that is exact, and stays a bigint beyond', () => {
  reads(validatorOf('integer'), 42n, 42)
  reads(validatorOf('integer'), 0n, 0)
  reads(validatorOf('integer'), -(2n ** 53n) + 1n, Number.MIN_SAFE_INTEGER)
  reads(validatorOf('integer'), 2n ** 53n)
  reads(validatorOf('integer'), 2n ** 53n + 1n)
  reads(validatorOf('integer'), -(10n ** 100n))
  reads(validatorOf('integer'), 10n ** 400n)
})

test('a whole float beyond 2^53 is the exact bigint', () => {
  reads(validatorOf('integer'), 1e20, 100000000000000000000n)
  reads(validatorOf('integer'), 2 ** 53, 2n ** 53n)
  reads(validatorOf('integer'), -1e300, BigInt(-1e300))
})

test('50 fits min 0 and max 100; -1 and 101 do not', () => {
  const validator = validatorOf('integer', { min: 0, max: 100 })
  for (const value of [0, 50, 100]) reads(validator, value)
  refuses(validator, -1, 'CONSTRAINT', 'value -1 is below minimum 0')
  refuses(validator, 101, 'CONSTRAINT', 'value 101 is above maximum 100')
  refuses(validator, 10n ** 30n, 'CONSTRAINT', `value 1${'0'.repeat(30)} is above maximum 100`)
})

test('bounds may be bigints or fractions', () => {
  const validator = validatorOf('integer', { min: -(2n ** 64n), max: 2n ** 64n })
  reads(validator, 2n ** 64n)
  refuses(validator, 2n ** 64n + 1n, 'CONSTRAINT', 'value 18446744073709551617 is above maximum 18446744073709551616')
  reads(validatorOf('integer', { min: 0.5 }), 1)
  refuses(validatorOf('integer', { min: 0.5 }), 0, 'CONSTRAINT', 'value 0 is below minimum 0.5')
  reads(validatorOf('integer', { min: -Infinity, max: Infinity }), 10n ** 400n)
})

test('a step is counted from min, or from 0, exactly at any size', () => {
  const odd = validatorOf('integer', { min: 1, step: 2 })
  for (const value of [1, 3, 2n ** 60n + 1n]) reads(odd, value)
  refuses(odd, 2, 'CONSTRAINT', 'value 2 is not a multiple of step 2 counted from 1')
  refuses(odd, 2n ** 60n, 'CONSTRAINT', `value ${2n ** 60n} is not a multiple of step 2 counted from 1`)
  const tens = validatorOf('integer', { step: 10n })
  for (const value of [0, -20, 10n ** 20n]) reads(tens, value)
  refuses(tens, -25, 'CONSTRAINT', 'value -25 is not a multiple of step 10')
  const far = validatorOf('integer', { min: Number.MIN_SAFE_INTEGER, step: 2 })
  reads(far, Number.MAX_SAFE_INTEGER)
  refuses(
    far,
    Number.MAX_SAFE_INTEGER - 1,
    'CONSTRAINT',
    `value ${Number.MAX_SAFE_INTEGER - 1} is not a multiple of step 2 counted from ${Number.MIN_SAFE_INTEGER}`,
  )
})

test('impossible constraints are refused', () => {
  forbids('integer', { min: 3, max: 1 }, 'min 3 must not be above max 1')
  forbids('integer', { min: 3n, max: 1 }, 'min 3 must not be above max 1')
  forbids('integer', { min: 0.2, max: 0.8 }, 'min 0.2 and max 0.8 must have a whole number between them')
  forbids('integer', { max: NaN }, 'max must be a number, not NaN')
  forbids('integer', { min: Infinity }, 'min must be below Infinity')
  forbids('integer', { max: [] }, 'max must be a number, not an array')
  forbids('integer', { step: 0n }, 'step must be a finite number above 0, not 0')
  forbids('integer', { step: 1.5 }, 'step must be a whole number, not 1.5')
  forbids('integer', { step: 2, min: 0.5 }, 'min must be a whole number beside a step, not 0.5')
})

test.run()
