import { createGrowable, ensureBytes } from '../../src/threads/growable-memory.js'
import { assert, suite } from '../harness.js'

const test = suite('growable memory')

test('it grows in place, keeps what it has, and what is new is zero', () => {
  const buffer = createGrowable(10, 1 << 20)
  const before = new Int32Array(buffer, 0, 2)
  before.set([1, 2])
  ensureBytes(buffer, 200_000)
  assert.is(buffer.byteLength >= 200_000, true)
  const grown = new Int32Array(buffer, 0, 50_000)
  assert.equal([...grown.subarray(0, 3)], [1, 2, 0])
  assert.is(grown.at(-1), 0)
  before[0] = 7
  assert.is(grown[0], 7)
  const { byteLength } = buffer
  ensureBytes(buffer, 5)
  assert.is(buffer.byteLength, byteLength)
})

test('it grows up to its limit, to the byte, and refuses more without a change', () => {
  const limit = 100_001
  const buffer = createGrowable(0, limit)
  ensureBytes(buffer, limit)
  assert.is(buffer.byteLength, limit)
  assert.throwsCode(() => ensureBytes(buffer, limit + 1), 'OVERFLOW', /100001/)
  assert.is(buffer.byteLength, limit)
})

test('what the system cannot reserve is refused as OVERFLOW, with the cause', () => {
  const error = assert.throwsCode(() => createGrowable(0, 2 ** 52), 'OVERFLOW', /4503599627370496 bytes/)
  assert.ok(error.cause instanceof RangeError)
})

test.run()
