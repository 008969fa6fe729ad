import { assert, suite } from '../../harness.js'
import { forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('tensor')

test('a tensor of shape [2, 2] with three numbers is refused', () => {
  const validator = validatorOf('tensor')
  reads(validator, { shape: [2, 2], data: [1, 2, 3, 4] })
  refuses(validator, { shape: [2, 2], data: [1, 2, 3] }, 'INVALID_TYPE', "data size doesn't match shape")
  refuses(validator, { shape: [2, 2], data: [1, 2, 3, 4, 5] }, 'INVALID_TYPE', "data size doesn't match shape")
  refuses(validator, { shape: [], data: [] }, 'INVALID_TYPE', "data size doesn't match shape")
  refuses(validator, { shape: [2 ** 30, 2 ** 30], data: [] }, 'INVALID_TYPE', "data size doesn't match shape")
})

test('data may be flat or nested, and stays so; only its count must fit', () => {
  const validator = validatorOf('tensor')
  reads(validator, { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] })
  reads(validator, {
    shape: [2, 2],
    data: [
      [1, 2],
      [3, 4],
    ],
  })
  reads(validator, {
    shape: [4],
    data: [
      [1, 2],
      [3, 4],
    ],
  })
  reads(validator, { shape: [], data: [5] })
  reads(validator, { shape: [0, 3], data: [] })
  reads(validator, { shape: [2, 0], data: [[], []] })
})

test('typed arrays and bigints are read as arrays of floats', () => {
  const value = { shape: new Uint32Array([2, 2]), data: [new Float32Array([1, 0.5]), [1n, 2]] }
  reads(validatorOf('tensor'), value, {
    shape: [2, 2],
    data: [
      [1, 0.5],
      [1, 2],
    ],
  })
  reads(validatorOf('tensor'), { shape: [2], data: new Float64Array(2) }, { shape: [2], data: [0, 0] })
})

test('more keys are kept as JSON, and everything is copied', () => {
  const value = { dtype: 'float32', shape: [1], data: [[1]], labels: ['a'] }
  const stored = validatorOf('tensor').parse('x', value)
  value.labels[0] = 'b'
  value.shape[0] = 2
  ;(value.data[0] as number[])[0] = 2
  assert.equal(stored, { shape: [1], data: [[1]], dtype: 'float32', labels: ['a'] })
  assert.equal(Object.keys(stored as object), ['shape', 'data', 'dtype', 'labels'])
  const words =
    'must be a tensor with shape and data: what stands beside them must be a JSON value, got a function at f'
  refuses(validatorOf('tensor'), { shape: [1], data: [1], f: () => 1 }, 'INVALID_TYPE', words)
})

test('what is not { shape, data } is no tensor', () => {
  for (const value of [
    null,
    5,
    [1],
    {},
    { shape: [1] },
    { data: [1] },
    { shape: 1, data: [1] },
    { shape: ['1'], data: [1] },
    { shape: [-1], data: [1] },
    { shape: [0.5], data: [1] },
    { shape: [1], data: 1 },
    { shape: [1], data: { 0: 1 } },
    new Map(),
  ]) {
    refuses(validatorOf('tensor'), value, 'INVALID_TYPE', 'must be a tensor with shape and data')
  }
})

test('data holds numbers only', () => {
  const words = 'must be a tensor with shape and data: data must hold numbers only'
  const itself: unknown[] = []
  itself.push(itself, itself)
  for (const data of [['1'], [null], [[1], [true]], new Array(1), itself]) {
    refuses(validatorOf('tensor'), { shape: [1], data }, 'INVALID_TYPE', words)
  }
})

test('NaN and the infinities are numbers, unless finite refuses them', () => {
  reads(validatorOf('tensor'), { shape: [2], data: [NaN, -Infinity] })
  const finite = validatorOf('tensor', { finite: true })
  reads(finite, { shape: [1], data: [1] })
  refuses(finite, { shape: [2], data: [[1], [NaN]] }, 'CONSTRAINT', 'must be finite, got NaN')
})

test('the shape may be given', () => {
  const validator = validatorOf('tensor', { shape: [2, 2] })
  reads(validator, { shape: [2, 2], data: [1, 2, 3, 4] })
  refuses(validator, { shape: [4], data: [1, 2, 3, 4] }, 'CONSTRAINT', 'shape must be [2, 2]')
  refuses(validator, { shape: [2, 2], data: [1] }, 'INVALID_TYPE', "data size doesn't match shape")
  reads(validatorOf('tensor', { shape: [] }), { shape: [], data: [1] })
})

test('impossible constraints are refused', () => {
  forbids('tensor', { shape: 4 }, 'shape must be an array of whole numbers, 0 or more')
  forbids('tensor', { shape: [-1] }, 'shape must be an array of whole numbers, 0 or more')
  forbids('tensor', { shape: [1.5] }, 'shape must be an array of whole numbers, 0 or more')
  forbids('tensor', { shape: ['2'] }, 'shape must be an array of whole numbers, 0 or more')
})

test.run()
