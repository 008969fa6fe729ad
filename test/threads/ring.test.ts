import fc from 'fast-check'
import { BeamlineError } from '../../src/errors.js'
import { createRing, RingReader, RingWriter } from '../../src/threads/ring.js'
import { assert, suite } from '../harness.js'
import { HEAD, HEADER, ring, TAIL } from '../support/ring.js'
import { Load, LoadCheck } from '../support/ring-load.js'
import { readLoad, turn } from '../support/ring-reading.js'

const test = suite('ring', { timeout: 120_000 })

test('what was published is read, once and in order, and nothing before it was', () => {
  const { writer, reader, commit, read } = ring()
  assert.equal(read(), [])
  commit(1, 0)
  commit(2, 1)
  assert.ok(writer.pending)
  assert.equal(read(), [])
  writer.publish()
  commit(3, 17)
  assert.equal(read(), ['1:0', '2:1'])
  assert.is(
    reader.read(() => {}),
    false,
  )
  writer.publish()
  assert.not(writer.pending)
  assert.not(writer.drained)
  assert.equal(read(), ['3:17'])
  assert.ok(writer.drained)
})

test('a ring has a size that is a power of two', () => {
  for (const size of [0, 512, 1000, 1025, 2 ** 31, -1024]) assert.throwsCode(() => createRing(size), 'INVALID_TYPE')
  assert.is(new RingWriter(createRing(4096)).size, 4096)
})

test('a ring takes records up to its last byte, and more once they are read', () => {
  const { writer, largest, commit, read } = ring()
  for (let round = 0; round < 5; round++) {
    for (let kind = 1; kind <= 4; kind++) assert.ok(commit(kind, largest), `record ${kind} of round ${round}`)
    assert.not(commit(5, 0))
    writer.publish()
    assert.equal(
      read(),
      [1, 2, 3, 4].map((kind) => `${kind}:${largest}`),
    )
  }
})

test('a place that was not taken is given again', () => {
  const { writer, commit, read } = ring()
  const at = writer.begin(200)
  assert.is(writer.begin(3), at)
  writer.publish()
  assert.equal(read(), [])
  commit(1, 3)
  writer.publish()
  assert.equal(read(), ['1:3'])
})

test('less may be written than there was room for', () => {
  const { writer, commit, read } = ring()
  for (let round = 1; round < 200; round++) {
    assert.ok(writer.begin(248) > 0)
    assert.ok(commit(round, round % 50))
    writer.publish()
    assert.equal(read(), [`${round}:${round % 50}`])
  }
})

test('a record that does not fit before the end begins at the front', () => {
  for (let left = 8; left < 256; left += 8) {
    const { writer, commit, read } = ring(1024, 1024 - left)
    assert.is(writer.begin(248), HEADER + 8, `with ${left} bytes left`)
    commit(7, 248)
    writer.publish()
    assert.equal(read(), ['7:248'])
  }
})

test('positions go on beyond 2^32', () => {
  for (const position of [2 ** 31 - 64, -64]) {
    const { writer, largest, commit, read } = ring(1024, position)
    for (let round = 0; round < 40; round++) {
      commit(1, round)
      commit(2, largest)
      writer.publish()
      assert.equal(read(), [`1:${round}`, `2:${largest}`])
    }
  }
})

test('a large ring that is read soon keeps to its front', () => {
  const { writer, commit, read } = ring(1 << 20)
  let highest = 0
  for (let round = 0; round < 5000; round++) {
    highest = Math.max(highest, writer.begin(100))
    commit(1, 100)
    writer.publish()
    read()
  }
  assert.ok(highest < 20_000, `it came to ${highest}`)
})

test('an empty ring has room for every record, wherever it stands', () => {
  const size = 2 ** 18
  const lengths = fc.array(fc.oneof(fc.nat(500), fc.nat(20_000), fc.nat(65_528), fc.constant(65_528)), {
    minLength: 1,
    maxLength: 50,
  })
  const check = (list: number[], position: number) => {
    const { writer, largest, commit, read } = ring(size, position * 8)
    for (const length of list) {
      assert.ok(commit(1, Math.min(length, largest)), `no room for ${length} bytes`)
      writer.publish()
      assert.is(read().length, 1)
    }
  }
  fc.assert(fc.property(lengths, fc.nat(size / 8), check), { numRuns: 300 })
})

test('room is made while a batch is still being read', () => {
  const { writer, reader, largest, commit } = ring()
  for (let kind = 1; kind <= 4; kind++) commit(kind, largest)
  writer.publish()
  const fits: boolean[] = []
  reader.read((kind) => fits.push(kind < 5 && commit(9, 0)))
  assert.equal(fits[0], false)
  assert.equal(fits.at(-1), true)
})

test('reading within reading reads nothing', () => {
  const { writer, reader, commit, read } = ring()
  commit(1, 1)
  commit(2, 2)
  writer.publish()
  const seen: unknown[] = []
  reader.read((kind) =>
    seen.push(
      kind,
      reader.read(() => seen.push('within')),
    ),
  )
  assert.equal(seen, [1, false, 2, false])
  assert.equal(read(), [])
})

test('who throws while reading has taken that record, and none after it', () => {
  const { writer, reader, commit, read } = ring()
  for (let kind = 1; kind <= 3; kind++) commit(kind, kind)
  writer.publish()
  const failing = () =>
    reader.read((kind) => {
      if (kind === 2) throw new Error('not this one')
    })
  assert.throws(failing, /not this one/)
  assert.equal(read(), ['3:3'])
})

const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), length: fc.nat(248) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('begin' as const), length: fc.nat(248) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), upTo: fc.nat(10) }) },
  ),
  { maxLength: 200 },
)

test('whatever both ends do, it is a queue', () => {
  const check = (list: readonly (typeof moves extends fc.Arbitrary<(infer M)[]> ? M : never)[], start: number) => {
    const { writer, reader, commit, words } = ring(1024, start * 8)
    const committed: string[] = []
    const published: string[] = []
    let serial = 0
    for (const move of list) {
      if (move.do === 'begin') writer.begin(move.length)
      else if (move.do === 'publish') {
        writer.publish()
        published.push(...committed.splice(0))
      } else if (move.do === 'write') {
        const kind = 1 + (serial++ % 200)
        if (commit(kind, move.length)) committed.push(`${kind}:${move.length}`)
        else {
          const used = (Atomics.load(words, TAIL) - Atomics.load(words, HEAD)) >>> 0
          assert.ok(committed.length > 0 || used > 1024 - 2 * (move.length + 16), `no room beside ${used} bytes`)
        }
      } else {
        let left = move.upTo
        const stop = {}
        try {
          reader.read((kind, at, end) => {
            assert.is(`${kind}:${end - at}`, published.shift())
            if (left-- === 0) throw stop
          })
          assert.ok(published.length === 0 && writer.drained)
        } catch (thrown) {
          if (thrown !== stop) throw thrown
          assert.ok(published.length === 0 || !writer.drained)
        }
      }
    }
  }
  fc.assert(fc.property(moves, fc.integer(), check), { numRuns: 1000 })
})

test('any bytes for a ring are refused, or read as records that lie in it', () => {
  const word = fc.oneof(
    fc.integer(),
    fc.integer({ min: -9, max: 300 }),
    fc.constantFrom(2 ** 31 - 1, 2 ** 31 - 16, -(2 ** 31)),
  )
  const header = fc.constantFrom(TAIL, HEAD)
  const place = fc.oneof(
    header,
    fc.nat(255).map((index) => HEADER / 4 + index),
  )
  const changes = fc.array(fc.tuple(place, word), { minLength: 1, maxLength: 6 })
  const check = (lengths: number[], list: [number, number][], attachedBefore: boolean) => {
    const { memory, words, writer, reader, commit } = ring()
    for (const length of lengths) commit(3, length)
    writer.publish()
    for (const [index, value] of list) words[index] = value
    const victim = attachedBefore ? reader : new RingReader(memory)
    let taken = 0
    try {
      victim.read((_kind, at, end) => {
        assert.ok(at >= HEADER && at <= end && end <= HEADER + 1024, `a record from ${at} to ${end}`)
        assert.ok(++taken <= 128, 'more records than it can hold')
      })
    } catch (error) {
      assert.ok(error instanceof BeamlineError && error.code === 'CORRUPT', String(error))
    }
  }
  fc.assert(fc.property(fc.array(fc.nat(100), { maxLength: 9 }), changes, fc.boolean(), check), { numRuns: 10_000 })
})

test('behind bytes that are no record nothing is read any more', () => {
  const { words, writer, commit, reader } = ring()
  commit(1, 8)
  commit(2, 8)
  writer.publish()
  words[HEADER / 4] = -1
  for (let again = 0; again < 3; again++) assert.throwsCode(() => reader.read(() => assert.unreachable()), 'CORRUPT')
})

for (const size of [1024, 16_384, 1 << 20]) {
  test(`two threads, each at a pace of its own, through ${size} bytes`, async () => {
    const count = 100_000
    await readLoad({ memory: createRing(size), count, seed: size + 1 }, async (check) => {
      for (let looks = 1; check.serial < count; looks++) {
        check.read()
        if (looks % (1 + (check.serial % 50)) === 0) await turn()
      }
      assert.not(check.read())
    })
  })
}

test('a new writer takes up where one that died has left off', () => {
  const { memory, reader } = ring()
  const check = new LoadCheck(reader, memory, 248)
  for (let life = 0; life < 100; life++) {
    const writer = new RingWriter(memory)
    const load = new Load(writer, memory, 248)
    load.serial = check.serial
    for (let records = 0; records < 2; records++) load.write()
    writer.publish()
    load.write()
    check.read()
  }
  assert.is(check.serial, 200)
})

test.run()
