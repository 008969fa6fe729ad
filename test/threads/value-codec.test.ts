import fc from 'fast-check'
import { BeamlineError } from '../../src/errors.js'
import { FULL, MAX_CONTAINERS, MAX_DEPTH, MAX_ITEMS, UNFIT } from '../../src/threads/value-form.js'
import { ValueReader } from '../../src/threads/value-reader.js'
import { ValueWriter } from '../../src/threads/value-writer.js'
import { assert, suite } from '../harness.js'
import { transcript } from '../support/transcript.js'
import { anyValue, plainValue, tangle } from '../support/values.js'

const test = suite('values in shared memory', { timeout: 60_000 })

const size = 1 << 20
const memory = new SharedArrayBuffer(size)
const bytes = new Uint8Array(memory)
const writer = new ValueWriter(memory)
const reader = new ValueReader(memory)

/** Writes and reads `value`, of which a clone must be like it. */
function carried(value: unknown, at = 3): unknown {
  const end = writer.write(value, at, size)
  assert.ok(end > at, `it was refused with ${end}`)
  const read = reader.read(at, end)
  assert.is(reader.position, end)
  assert.is(transcript(read), transcript(structuredClone(value)))
  return read
}

function isRead(value: unknown): boolean {
  const end = writer.write(value, 3, size)
  if (end > 0) assert.is(transcript(reader.read(3, end)), transcript(structuredClone(value)))
  return end > 0
}

/** What reading these bytes comes to: the value in words, or the refusal. */
function outcome(at: number, end: number): string {
  try {
    return transcript(reader.read(at, end))
  } catch (error) {
    assert.ok(error instanceof BeamlineError && error.code === 'CORRUPT', String(error))
    return 'refused'
  }
}

test('a tree of plain values arrives as structured clone would have made it, wherever it lies', () => {
  fc.assert(
    fc.property(plainValue, fc.nat(20), (value, at) => void carried(value, at)),
    { numRuns: 1000 },
  )
})

test('of all other values some are unfit and the rest arrive the same', () => {
  let fit = 0
  const see = (value: unknown) => {
    if (isRead(value)) fit += 1
  }
  fc.assert(fc.property(fc.oneof(anyValue, tangle), see), { numRuns: 1000 })
  assert.ok(fit > 50, `${fit} were fit`)
})

test('memory that is not shared will do', () => {
  const own = new ArrayBuffer(100)
  const end = new ValueWriter(own).write({ a: [1, 'two', { three: 3.5 }] }, 0, 100)
  assert.equal(new ValueReader(own).read(0, end), { a: [1, 'two', { three: 3.5 }] })
})

test('every number arrives as itself', () => {
  const limits = [2 ** 7, 2 ** 8, 2 ** 15, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE]
  for (const limit of [0, Number.NaN, Number.POSITIVE_INFINITY, ...limits]) {
    for (const value of [limit - 1, limit, limit + 1, limit + 0.5, -limit]) carried(value)
    carried([limit, -limit])
  }
})

test('a text of every length arrives, of one-byte characters and of others', () => {
  for (const unit of ['a', 'ÿ', 'Ā', '\0', '\ud800', '😀']) {
    for (let length = 0; length < 600; length += length < 300 ? 1 : 37) {
      carried(unit.repeat(length))
      carried(`${'a'.repeat(length)}${unit}`)
    }
  }
  carried('x'.repeat(70_000))
  carried({ [`${'k'.repeat(300)}`]: 1, [`${'Ā'.repeat(300)}`]: 2 })
})

test('the keys of a record keep their order, and __proto__ is one like others', () => {
  const evil = carried(JSON.parse('{"b":1,"__proto__":{"polluted":true},"a":1,"7":1,"1":1}')) as object
  assert.is(Object.getPrototypeOf(evil), Object.prototype)
  assert.equal(Object.keys(evil), ['1', '7', 'b', '__proto__', 'a'])
  carried({ toString: 1, constructor: null, hasOwnProperty: undefined })
})

test('only own enumerable properties with a text for a name are read', () => {
  const value = { seen: 1, [Symbol('s')]: 2 }
  Object.defineProperty(value, 'hidden', { value: 3 })
  Object.defineProperty(value, 'getter', { get: () => 4, enumerable: true })
  assert.equal(carried(value), { seen: 1, getter: 4 })
})

test('with an addition to Object.prototype no record is fit', () => {
  const prototype = Object.prototype as { added?: number }
  try {
    prototype.added = 1
    assert.is(writer.write({ a: 1 }, 0, size), UNFIT)
  } finally {
    delete prototype.added
  }
  carried({ a: 1 })
})

test('words that come again are never mistaken for one another', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), maxLength: 26 })
  const records = fc.array(fc.dictionary(word, word, { maxKeys: 5, noNullPrototype: true }), {
    minLength: 1,
    maxLength: 100,
  })
  const readThrice = (list: unknown[]) => {
    for (let round = 0; round < 3; round++) for (const record of list) carried(record)
  }
  fc.assert(fc.property(records, readThrice), { numRuns: 100 })
})

const nested = (levels: number): unknown =>
  levels === 0 ? 1 : levels % 2 === 0 ? [nested(levels - 1)] : { a: nested(levels - 1) }

const twice = { a: 1 }
const loop: Record<string, unknown> = {}
loop['loop'] = [loop]

const unfit: [what: string, value: unknown][] = [
  ['a bigint', 1n],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a date', new Date()],
  ['a map', new Map()],
  ['a set', new Set()],
  ['a buffer', new ArrayBuffer(8)],
  ['a view', new Uint8Array(8)],
  ['an error', new Error('no')],
  ['an expression', /a/],
  ['a boxed number', Object(1)],
  ['an instance', new (class Point {})()],
  ['an instance of a class of arrays', new (class List extends Array {})()],
  ['an object without a prototype', Object.create(null)],
  ['an object with the prototype of arrays', Object.create(Array.prototype)],
  ['a proxy of a record', new Proxy({}, {})],
  ['a proxy of an array', new Proxy([], {})],
  ['a hole', Object.assign(new Array(3), { 0: 1, 2: 3 })],
  ['a hole at the end', new Array(1)],
  ['a part met twice', [twice, twice]],
  ['a cycle', loop],
  ['one level too many', nested(MAX_DEPTH + 1)],
  ['one container too many', Array.from({ length: MAX_CONTAINERS }, () => [])],
  ['one item too many', Array.from({ length: MAX_ITEMS + 1 }, () => 1)],
  ['a record with endless names', Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`field ${i}`, 1]))],
]

for (const [what, value] of unfit) {
  test(`unfit: ${what}`, () => {
    assert.is(writer.write(value, 0, size), UNFIT)
    assert.is(writer.write({ part: [value] }, 0, size), UNFIT)
    carried([1, { a: 2 }])
  })
}

test('what is just fit', () => {
  carried(nested(MAX_DEPTH))
  carried(Array.from({ length: MAX_CONTAINERS - 1 }, () => ({})))
  carried(Array.from({ length: MAX_ITEMS }, () => 1))
  carried([undefined, [undefined]])
})

test('a getter may add to its record, one that takes away makes it unfit, and one that throws is heard', () => {
  const changing = (change: (record: Record<string, unknown>) => void): unknown => {
    const record: Record<string, unknown> = {
      get first() {
        change(record)
        return 1
      },
      last: 2,
    }
    return record
  }
  const adding = changing((record) => Object.assign(record, { more: 3 }))
  assert.equal(reader.read(0, writer.write(adding, 0, size)), { first: 1, last: 2 })
  const taking = changing((record) => delete record['last'])
  assert.is(writer.write(taking, 0, size), UNFIT)
  const failing = changing(() => {
    throw new Error('not today')
  })
  assert.throws(() => writer.write(failing, 0, size), /not today/)
  carried(twice)
})

test('a value fits exactly as long as it is, and nothing is written beyond', () => {
  const check = (value: unknown, at: number) => {
    const end = writer.write(value, at, size)
    if (end - at > 2000) return
    for (let limit = at; limit < end; limit++) {
      bytes.fill(0xaa, limit, end + 8)
      assert.is(writer.write(value, at, limit), FULL, `a limit of ${limit} for ${at} to ${end}`)
      assert.ok(
        bytes.subarray(limit, end + 8).every((byte) => byte === 0xaa),
        'it was written beyond the limit',
      )
    }
    bytes.fill(0xaa, end, end + 8)
    assert.is(writer.write(value, at, end), end)
    assert.ok(bytes.subarray(end, end + 8).every((byte) => byte === 0xaa))
    assert.is(transcript(reader.read(at, end)), transcript(structuredClone(value)))
  }
  fc.assert(fc.property(plainValue, fc.nat(20), check), { numRuns: 150 })
})

test('a value without its end is refused, wherever it is cut', () => {
  const check = (value: unknown) => {
    const end = writer.write(value, 0, size)
    if (end > 2000) return
    for (let cut = 0; cut < end; cut++) assert.throwsCode(() => reader.read(0, cut), 'CORRUPT')
  }
  fc.assert(fc.property(plainValue, check), { numRuns: 150 })
})

test('any bytes are refused or come to some value, whatever lies around them', () => {
  const form = fc.integer({ min: 0, max: 14 })
  const byte = fc.oneof(form, fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat(255))
  const check = (random: number[], at: number) => {
    const end = at + random.length
    const results = [0x00, 0x01, 0x81, 0xff].map((around) => {
      bytes.fill(around, 0, end + 100)
      bytes.set(random, at)
      return outcome(at, end)
    })
    assert.is(new Set(results).size, 1, results.join())
  }
  fc.assert(fc.property(fc.array(byte, { maxLength: 60 }), fc.nat(50), check), { numRuns: 3000 })
})

test('a value with some bytes changed is refused or comes to some value', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  const check = (value: unknown, mutations: [number, number][]) => {
    const end = writer.write(value, 5, size)
    for (const [where, byte] of mutations) bytes[5 + (where % (end - 5))] = byte
    outcome(5, end)
  }
  fc.assert(fc.property(plainValue, changes, check), { numRuns: 1000 })
})

test('bytes that nest without end are refused before the stack is', () => {
  bytes.fill(0x0b, 0, size)
  assert.is(outcome(0, size), 'refused')
  for (let at = 0; at < size - 3; at += 3) bytes.set([0x0b, 1, 0], at)
  assert.is(outcome(0, size), 'refused')
})

test('what was written is not kept alive', async () => {
  const refs: WeakRef<object>[] = []
  const send = (): void => {
    const value = { part: [{ deep: 1 }] }
    refs.push(new WeakRef(value), new WeakRef(value.part))
    writer.write(value, 0, size)
    const other = { part: [new Date()] }
    refs.push(new WeakRef(other))
    writer.write(other, 0, size)
  }
  send()
  await new Promise((resolve) => setImmediate(resolve))
  globalThis.gc?.()
  assert.equal(
    refs.map((ref) => ref.deref()),
    [undefined, undefined, undefined],
  )
})

test.run()
