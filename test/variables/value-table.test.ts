import fc from 'fast-check'
import { SharedMap } from '../../src/threads/shared-map.js'
import { TableWriter } from '../../src/variables/table-writer.js'
import { ValueTable } from '../../src/variables/value-table.js'
import { assert, suite } from '../harness.js'
import { same } from '../support/same.js'

const test = suite('ValueTable', { timeout: 30_000 })

const kinds: readonly (readonly [string, unknown])[] = [
  ['zero', 0],
  ['minus zero', -0],
  ['NaN', Number.NaN],
  ['infinity', Number.NEGATIVE_INFINITY],
  ['the smallest number', 5e-324],
  ['the largest number', Number.MAX_VALUE],
  ['an integer beyond 2^32', 2 ** 53 - 1],
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
  ['the empty string', ''],
  ['a letter', 'x'],
  ['a short string', 'gpt-large'],
  ['a long string', 'x'.repeat(100_000)],
  ['a very long string', 'x'.repeat(3_000_000)],
  ['Latin-1', 'Größe'],
  ['another script', '温度'],
  ['emoji', '😀'.repeat(1000)],
  ['half a surrogate pair', 'a\ud83d'],
  ['a zero character', 'a\0b'],
  ['a bigint', 12345678901234567890n],
  ['an array', [1, 'two', null, [3]]],
  ['an object', { model: 'gpt', options: { temperature: 0.5 }, none: undefined }],
  ['a map', new Map([['a', new Set([1])]])],
  ['a date', new Date(0)],
  ['bytes', new Uint8Array([1, 2, 3])],
  ['doubles', new Float64Array([0.5, -0])],
  ['a large array', Array.from({ length: 20_000 }, (_, i) => i)],
]

for (const [what, value] of kinds) {
  test(`it keeps ${what}, for the writer and for readers`, () => {
    const table = TableWriter.create()
    const reader = ValueTable.attach(table.memory)
    for (const before of [1, 'text', { an: 'object' }]) {
      table.write('v', before, 1)
      same(reader.read('v'), { value: before, version: 1 }, 'before')
      table.write('v', value, 2)
      same(reader.read('v'), { value, version: 2 }, what)
      same(table.read('v'), { value, version: 2 }, what)
    }
  })
}

test('a variable that was never written is not there', () => {
  const table = TableWriter.create()
  assert.is(table.read('v'), undefined)
  table.delete('v')
  assert.is(ValueTable.attach(table.memory).read('v'), undefined)
})

test('versions are kept beyond 2^32', () => {
  const table = TableWriter.create()
  table.write('v', 'x', 2 ** 52 + 1)
  assert.is(table.read('v')?.version, 2 ** 52 + 1)
})

test('what was read is a private copy', () => {
  const table = TableWriter.create()
  table.write('v', { bytes: new Uint8Array(64), list: [1] }, 1)
  const first = table.read('v')?.value as { bytes: Uint8Array; list: number[] }
  assert.not(first.bytes.buffer instanceof SharedArrayBuffer)
  first.bytes.fill(7)
  first.list.push(2)
  same(table.read('v')?.value, { bytes: new Uint8Array(64), list: [1] }, 'again')
})

test('a deleted variable is gone for a reader that knew it, also when its place is taken', () => {
  const table = TableWriter.create({ buckets: 1 })
  const reader = ValueTable.attach(table.memory)
  table.write('a', 'the first', 1)
  table.write('stays', 'here', 1)
  assert.is(reader.read('a')?.value, 'the first')
  table.delete('a')
  assert.is(reader.read('a'), undefined)
  table.write('b', 'the second', 2)
  assert.is(reader.read('a'), undefined)
  assert.is(table.read('a'), undefined)
  assert.is(reader.read('b')?.value, 'the second')
  table.write('a', 'the third', 3)
  assert.is(reader.read('a')?.value, 'the third')
  assert.is(reader.read('stays')?.value, 'here')
})

test('the sequence of an entry never goes back, also when it is given to another name', () => {
  const table = TableWriter.create({ buckets: 1 })
  const index = SharedMap.attach(table.memory.index)
  let reached = -1
  for (let i = 0; i < 20; i++) {
    table.write(`v${i}`, 'x', 1)
    const entry = index.find(`v${i}`)
    assert.is(index.load(entry, 0) > reached, true)
    table.delete(`v${i}`)
    reached = index.load(entry, 0)
  }
})

test('a value that is too large is refused and the old one stays', () => {
  const table = TableWriter.create({ maxBytes: 256 * 1024 })
  table.write('v', 'old', 1)
  assert.throwsCode(() => table.write('v', 'x'.repeat(300_000), 2), 'OVERFLOW', /value of v takes 300000 bytes/)
  same(table.read('v'), { value: 'old', version: 1 }, 'old')
  assert.throwsCode(() => table.write('w', new Uint8Array(300_000), 1), 'OVERFLOW', /value of w/)
  assert.is(table.read('w'), undefined)
  table.write('v', 'new', 3)
  table.write('w', 'new', 3)
  same(
    [table.read('v'), table.read('w')],
    [
      { value: 'new', version: 3 },
      { value: 'new', version: 3 },
    ],
    'new',
  )
})

test('what no thread can be sent is refused and the old value stays', () => {
  const table = TableWriter.create()
  table.write('v', 'old', 1)
  for (const value of [() => 1, Symbol('s'), { nested: () => 1 }]) {
    assert.throwsCode(() => table.write('v', value, 2), 'NOT_CLONEABLE', /value of v/)
    assert.throwsCode(() => table.write('w', value, 2), 'NOT_CLONEABLE', /value of w/)
  }
  same(table.read('v'), { value: 'old', version: 1 }, 'old')
  assert.is(table.read('w'), undefined)
})

test('names have the limits of keys', () => {
  const table = TableWriter.create()
  for (const name of ['', 'x'.repeat(513)]) {
    for (const use of [() => table.write(name, 1, 1), () => table.read(name), () => table.delete(name)]) {
      assert.throwsCode(use, 'INVALID_TYPE', /1 to 512 UTF-8 bytes/)
    }
  }
})

test('memory is used again: a small table takes any number of writes, sizes and deletions', () => {
  const table = TableWriter.create({ maxBytes: 1 << 20 })
  for (let i = 0; i < 20_000; i++) {
    const name = `v${i % 7}`
    const value = i % 5 === 0 ? i : 'x'.repeat((i * 7919) % (i % 11 === 0 ? 50_000 : 500))
    table.write(name, value, i)
    assert.is(table.read(name)?.value, value)
    if (i % 13 === 0) table.delete(name)
  }
})

test('a table that is nearly full splits large free regions', () => {
  const table = TableWriter.create({ maxBytes: 256 * 1024 })
  table.write('large', 'x'.repeat(200_000), 1)
  table.delete('large')
  for (let i = 0; i < 4000; i++) table.write(`v${i}`, 'x'.repeat(64), i)
  for (let i = 0; i < 4000; i++) assert.is(table.read(`v${i}`)?.value, 'x'.repeat(64))
})

const someName = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }))
const someValue = fc.oneof(
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.string({ minLength: 0, maxLength: 5000, size: 'max' }),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
)
const someStep = fc.record({ name: someName, write: fc.option(fc.record({ value: someValue }), { freq: 4 }) })

test('it behaves like a Map of values and versions', () => {
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 60, size: 'max' }), (steps) => {
      const table = TableWriter.create({ buckets: 1, maxBytes: 1 << 22 })
      const reader = ValueTable.attach(table.memory)
      const model = new Map<string, { value: unknown; version: number }>()
      steps.forEach(({ name, write }, version) => {
        if (write === null) {
          table.delete(name)
          model.delete(name)
        } else {
          table.write(name, write.value, version)
          model.set(name, { value: structuredClone(write.value), version })
        }
        same(reader.read(name), model.get(name), name)
      })
      for (const [name, expected] of model) same(reader.read(name), expected, name)
    }),
    { numRuns: 100, examples: [[[{ name: 'a', write: { value: new Date(Number.NaN) } }]]] },
  )
})

test('a writer that died in the middle of a write leaves the value before it', () => {
  const table = TableWriter.create()
  const reader = ValueTable.attach(table.memory)
  table.write('v', 'old', 1)
  const ints = new Int32Array(table.memory.index.buffer)
  const entry = SharedMap.attach(table.memory.index).find('v')
  ints[entry] = (ints[entry] as number) + 1
  ints.fill(-1, entry + 1, entry + 12)
  same(reader.read('v'), { value: 'old', version: 1 }, 'old')
  same(ValueTable.attach(table.memory).read('v'), { value: 'old', version: 1 }, 'old')
})

/** Runs `meanwhile` while the next read copies an object's bytes, as another thread would. */
function duringCopy(meanwhile: () => void, read: () => unknown): unknown {
  const { copy } = Buffer.prototype
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
    Buffer.prototype.copy = copy
    meanwhile()
    return copy.apply(this, args)
  }
  try {
    return read()
  } finally {
    Buffer.prototype.copy = copy
  }
}

test('a reader that was overtaken once has its value, one that is being overtaken twice starts over', () => {
  const table = TableWriter.create()
  const reader = ValueTable.attach(table.memory)
  table.write('v', [1], 1)
  const index = SharedMap.attach(table.memory.index)
  const entry = index.find('v')
  const begin = () => index.store(entry, 0, index.load(entry, 0) + 1)
  const overtakeOnce = () => table.write('v', [2], 2)
  same(
    duringCopy(overtakeOnce, () => reader.read('v')),
    { value: [1], version: 1 },
    'overtaken once',
  )
  same(
    duringCopy(begin, () => reader.read('v')),
    { value: [2], version: 2 },
    'next one begun',
  )
  const overtakeTwice = () => {
    table.write('v', [3], 3)
    begin()
  }
  same(
    duringCopy(overtakeTwice, () => reader.read('v')),
    { value: [3], version: 3 },
    'overtaken twice',
  )
  table.write('v', [4], 4)
  same(reader.read('v'), { value: [4], version: 4 }, 'written again')
})

test.run()
