import { sameValue } from '../../../src/variables/types/index.js'
import { assert, suite } from '../../harness.js'

const test = suite('sameValue')

test('equal values are the same, part by part', () => {
  const tensor = () => ({ shape: [2], data: [NaN, 1] })
  for (const [one, other] of [
    [1, 1],
    [NaN, NaN],
    ['a', 'a'],
    [2n ** 60n, 2n ** 60n],
    [null, null],
    [tensor(), tensor()],
    [
      [1, [2]],
      [1, [2]],
    ],
  ]) {
    assert.is(sameValue(one, other), true)
  }
})

test('different values are not', () => {
  for (const [one, other] of [
    [1, 2],
    [0, -0],
    [1, 1n],
    [1, '1'],
    [null, undefined],
    [null, {}],
    [[1], [1, 2]],
    [{ a: 1 }, { a: 1, b: undefined }],
    [[1], 1],
  ]) {
    assert.is(sameValue(one, other), false)
  }
})

test.run()
