import { assert, suite } from '../../harness.js'
import { forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('embedding')

test('four dimensions accept four numbers, refuse three', () => {
  const validator = validatorOf('embedding', { dimensions: 4 })
  reads(validator, [0.1, 0.2, 0.3, 0.4])
  refuses(validator, [0.1, 0.2, 0.3], 'CONSTRAINT', 'must have exactly 4 dimensions')
})

test('integers, bigints and typed arrays are read as floats', () => {
  const validator = validatorOf('embedding')
  reads(validator, [1, 2, 3])
  reads(validator, [])
  reads(validator, [1n, 2.5], [1, 2.5])
  reads(validator, new Float32Array([0.5, 0.25]), [0.5, 0.25])
  reads(validator, new Float64Array([0.1]), [0.1])
  reads(validator, new Uint8Array([1, 255]), [1, 255])
  reads(validator, new BigInt64Array([-1n]), [-1])
})

test('what is stored is a copy', () => {
  const written = [1, 2]
  const stored = validatorOf('embedding').parse('x', written)
  written[0] = 9
  assert.equal(stored, [1, 2])
})

test('what is not an array is no numeric list', () => {
  for (const value of [
    '[1]',
    5,
    null,
    undefined,
    { 0: 1, length: 1 },
    new Set([1]),
    new DataView(new ArrayBuffer(8)),
  ]) {
    refuses(validatorOf('embedding'), value, 'INVALID_TYPE', 'must be a numeric list')
  }
})

test('an array with anything else in it is no list of numbers', () => {
  for (const value of [[1, '2'], [null], [true], [[1]], [undefined], new Array(2), [10n ** 400n], ['NaN']]) {
    refuses(validatorOf('embedding'), value, 'INVALID_TYPE', 'must be a list of numbers')
  }
})

test('NaN and the infinities are numbers, unless finite refuses them', () => {
  reads(validatorOf('embedding'), [NaN, Infinity, -Infinity, -0])
  const finite = validatorOf('embedding', { finite: true })
  reads(finite, [1])
  refuses(finite, [1, NaN], 'CONSTRAINT', 'must be finite, got NaN')
  refuses(finite, [-Infinity], 'CONSTRAINT', 'must be finite, got -Infinity')
})

test('impossible constraints are refused', () => {
  forbids('embedding', { dimensions: 0 }, 'dimensions must be a whole number, 1 or more, not 0')
  forbids('embedding', { dimensions: -1 }, 'dimensions must be a whole number, 1 or more, not -1')
  forbids('embedding', { dimensions: 1.5 }, 'dimensions must be a whole number, 1 or more, not 1.5')
  forbids('embedding', { dimensions: '4' }, 'dimensions must be a whole number, 1 or more, not a string')
  forbids('embedding', { finite: 'yes' }, 'finite must be true or false, not a string')
})

test.run()
