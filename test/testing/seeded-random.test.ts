import { SeededRandom } from '../../src/testing/seeded-random.js'
import { assert, suite } from '../harness.js'

const test = suite('SeededRandom')

const first = (seed: number, count = 5) => {
  const random = new SeededRandom(seed)
  return Array.from({ length: count }, () => random.below(1000))
}

test('the numbers are those of mulberry32', () => {
  const random = new SeededRandom(1)
  assert.equal(
    [random.next(), random.next()].map((number) => Math.floor(number * 2 ** 32)),
    [2693262067, 11749833],
  )
})

test('one seed gives one stream, another another', () => {
  assert.equal(first(7), first(7))
  assert.is.not(String(first(7)), String(first(8)))
})

test('every number below a bound comes up, and no other', () => {
  const random = new SeededRandom(3)
  const seen = new Set(Array.from({ length: 200 }, () => random.below(7)))
  assert.equal([...seen].sort(), [0, 1, 2, 3, 4, 5, 6])
  assert.is(random.pick(['only']), 'only')
})

test.run()
