import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { BeamlineError } from '../../src/errors.js'
import { SharedMap, type SharedMapMemory } from '../../src/threads/shared-map.js'
import { assert, suite } from '../harness.js'

const test = suite('SharedMap', { timeout: 30_000 })

const wordsOf = (map: SharedMap, key: string): number[] | undefined => {
  const words = map.read(key)
  return words === undefined ? undefined : [...words]
}

async function withWriter(use: (map: SharedMap, kill: () => Promise<unknown>) => void | Promise<void>): Promise<void> {
  const worker = new Worker(new URL('./shared-map-writer.js', import.meta.url))
  try {
    const [memory] = (await once(worker, 'message')) as [SharedMapMemory]
    await use(SharedMap.attach(memory), () => worker.terminate())
  } finally {
    await worker.terminate()
  }
}

test('a key has the words it was inserted with, until it is deleted', () => {
  const map = SharedMap.create({ words: 2 })
  assert.is(map.find('a'), -1)
  assert.is(map.read('a'), undefined)
  assert.is(map.delete('a'), false)
  const entry = map.insert('a', [1, -2])
  assert.is(map.find('a'), entry)
  assert.equal(wordsOf(map, 'a'), [1, -2])
  assert.is(map.delete('a'), true)
  assert.is(map.find('a'), -1)
  assert.equal([...map.keys()], [])
})

test('an entry stays where it is while its words are replaced, stored and exchanged', () => {
  const map = SharedMap.create({ words: 2 })
  const entry = map.insert('a', [1, 2])
  assert.is(map.insert('a', [3, 4]), entry)
  map.store(entry, 1, 5)
  assert.is(map.compareExchange(entry, 0, 1, 9), false)
  assert.is(map.compareExchange(entry, 0, 3, 9), true)
  assert.is(map.load(entry, 0), 9)
  assert.equal(wordsOf(map, 'a'), [9, 5])
})

for (const [what, key] of [
  ['empty', ''],
  ['513 bytes', 'x'.repeat(513)],
  ['513 bytes in 171 characters', '€'.repeat(171)],
  ['half a surrogate pair', 'a\ud83d'],
  ['no string', 7 as unknown as string],
] as const) {
  test(`a key is refused when it is ${what}`, () => {
    const map = SharedMap.create({ words: 1 })
    for (const use of [() => map.insert(key, [1]), () => map.delete(key), () => map.find(key), () => map.read(key)]) {
      assert.throwsCode(use, 'INVALID_TYPE', /1 to 512 UTF-8 bytes/)
    }
  })
}

for (const [what, key] of [
  ['1 byte', 'x'],
  ['512 bytes', 'x'.repeat(512)],
  ['512 bytes in 128 characters', '😀'.repeat(64) + '\u00e9'.repeat(128)],
  ['a zero byte', '\0'],
  ['Latin-1', 'é'],
  ['the bytes of é as characters', 'Ã©'],
] as const) {
  test(`a key is found when it is ${what}`, () => {
    const map = SharedMap.create({ words: 1, buckets: 1 })
    map.insert('other', [0])
    map.insert(key, [1])
    assert.equal(wordsOf(SharedMap.attach(map.memory), key), [1])
    assert.equal([...map.keys()].sort(), [key, 'other'].sort())
  })
}

test('keys that differ only in trailing zero bytes are different keys', () => {
  const map = SharedMap.create({ words: 1, buckets: 1 })
  map.insert('a', [1])
  map.insert('a\0', [2])
  assert.equal(wordsOf(map, 'a'), [1])
  assert.equal(wordsOf(map, 'a\0'), [2])
})

test('the number of words is the same for all entries', () => {
  const map = SharedMap.create({ words: 2 })
  assert.throwsCode(() => map.insert('a', [1]), 'INVALID_TYPE', /2 words, not 1/)
  assert.is(map.find('a'), -1)
})

test('only the creator changes the structure', () => {
  const reader = SharedMap.attach(SharedMap.create({ words: 1 }).memory)
  for (const use of [() => reader.insert('a', [1]), () => reader.delete('a'), () => [...reader.keys()]]) {
    assert.throwsCode(use, 'UNAVAILABLE', /created/)
  }
})

test('a full map refuses another key, keeps those it has, and takes keys again after a deletion', () => {
  const map = SharedMap.create({ words: 1, buckets: 64, maxBytes: 10_000 })
  const entries: number[] = []
  const fill = () => {
    for (;;) entries.push(map.insert(`key-${entries.length}`, [entries.length]))
  }
  assert.throwsCode(fill, 'OVERFLOW', /10000/)
  assert.is(entries.length > 100, true)
  for (const [i, entry] of entries.entries()) assert.is(map.find(`key-${i}`), entry)
  map.delete('key-5')
  assert.is(map.insert('new', [1]), entries[5])
  assert.throwsCode(() => map.insert('newer', [1]), 'OVERFLOW', /limit/)
  assert.throwsCode(() => SharedMap.create({ words: 1, maxBytes: 4096 }), 'OVERFLOW', /4096/)
})

test('a reader that attached before the map grew finds everything, where it always was', () => {
  const map = SharedMap.create({ words: 3, buckets: 256 })
  const reader = SharedMap.attach(map.memory)
  const before = map.memory.buffer.byteLength
  const entries = Array.from({ length: 20_000 }, (_, i) => map.insert(`grown-${i}`, [i, i, i]))
  assert.is(map.memory.buffer.byteLength > 4 * before, true)
  entries.forEach((entry, i) => {
    assert.is(reader.find(`grown-${i}`), entry)
    assert.is(reader.load(entry, 2), i)
  })
  assert.is([...map.keys()].length, entries.length)
})

test('the epoch changes when a deleted entry is given to another key, and only then', () => {
  const map = SharedMap.create({ words: 1 })
  const start = map.epoch
  const entry = map.insert('a', [1])
  map.insert('a', [2])
  map.delete('a')
  assert.is(map.epoch, start)
  assert.is(map.insert('b', [1]), entry)
  assert.is.not(map.epoch, start)
})

test('keys may be deleted while they are listed', () => {
  const map = SharedMap.create({ words: 1, buckets: 4 })
  for (let i = 0; i < 100; i++) map.insert(`key-${i}`, [i % 2])
  for (const key of map.keys()) if (map.load(map.find(key), 0) === 1) map.delete(key)
  assert.is([...map.keys()].length, 50)
})

const someKey = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'aa', 'aaaaaaaaaaaaaaaaaaaaaaaa', 'é', '日本語'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((key) => Buffer.byteLength(key) <= 512),
)
const someStep = fc.record({ key: someKey, value: fc.option(fc.integer(), { freq: 3 }) })

for (const buckets of [1, 4096]) {
  test(`it behaves like a Map, with ${buckets} buckets`, () => {
    fc.assert(
      fc.property(fc.array(someStep, { maxLength: 200, size: 'max' }), (steps) => {
        const map = SharedMap.create({ words: 2, buckets, maxBytes: 1 << 20 })
        const reader = SharedMap.attach(map.memory)
        const model = new Map<string, { entry: number; value: number }>()
        for (const { key, value } of steps) {
          if (value === null) assert.is(map.delete(key), model.delete(key))
          else {
            const entry = map.insert(key, [value, ~value])
            assert.is(entry, model.get(key)?.entry ?? entry)
            model.set(key, { entry, value })
          }
          assert.is(reader.find(key), model.get(key)?.entry ?? -1)
        }
        for (const [key, { value }] of model) assert.equal(wordsOf(reader, key), [value, ~value])
        assert.equal([...map.keys()].sort(), [...model.keys()].sort())
        assert.is(new Set([...model.values()].map(({ entry }) => entry)).size, model.size)
      }),
      { numRuns: 150 },
    )
  })
}

test('a writer that died while it replaced words: reading them fails soon, everything else goes on', () => {
  const map = SharedMap.create({ words: 1 })
  const entry = map.insert('half', [1])
  map.insert('whole', [2])
  const ints = new Int32Array(map.memory.buffer)
  ints[entry - 1] = 1
  assert.throwsCode(() => map.read('half'), 'UNAVAILABLE', /writer died/)
  assert.is(map.find('half'), entry)
  assert.equal(wordsOf(map, 'whole'), [2])
})

test('of several threads that release a name, one does', async () => {
  const names = 5000
  const claim = 77
  const map = SharedMap.create({ words: 4 })
  for (let i = 0; i < names; i++) map.insert(`name-${i}`, [claim, 1, 2, 3])
  const workers = [0, 1].map(
    () =>
      new Worker(new URL('./shared-map-releaser.js', import.meta.url), {
        workerData: { memory: map.memory, names, claim },
      }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const results = workers.map((worker) => once(worker, 'message') as Promise<[number]>)
  for (const worker of workers) worker.postMessage('go')
  const wins = (await Promise.all(results)).map(([count]) => count)
  await Promise.all(workers.map((worker) => worker.terminate()))
  assert.is(
    wins.reduce((sum, count) => sum + count, 0),
    names,
  )
  for (let i = 0; i < names; i++) assert.is(map.load(map.find(`name-${i}`), 0), 0)
})

/** Reads one key of the racing writer and says which count it saw; throws when the words are not of one piece. */
function checked(map: SharedMap, key: string, index: number): number | undefined {
  const words = map.read(key)
  if (words === undefined) return undefined
  const [count, owner, product, complement] = words as unknown as [number, number, number, number]
  const whole = owner === index && product === Math.imul(count, 31) && complement === ~count
  if (!whole) assert.unreachable(`${key} is torn: ${words.join()}`)
  return count
}

test('a reader beside a racing writer sees whole entries of the right key, none missing, none older', () =>
  withWriter((map) => {
    const latest = new Map<string, number>()
    const places = Array.from({ length: 50 }, (_, i) => map.find(`stay-${i}`))
    let changes = 0
    let gone = 0
    const see = (key: string, index: number): boolean => {
      const count = checked(map, key, index)
      if (count === undefined) return false
      const before = latest.get(key) ?? 0
      assert.is(count >= before, true, `${key} went back from ${before} to ${count}`)
      if (count > before) changes++
      latest.set(key, count)
      return true
    }
    const enough = () => changes > 1000 && gone > 100
    for (const end = performance.now() + 15_000; !enough() && performance.now() < end; ) {
      for (let i = 0; i < 50; i++) {
        assert.is(map.find(`stay-${i}`), places[i])
        assert.is(see(`stay-${i}`, i), true, `stay-${i} is missing`)
      }
      for (let i = 0; i < 200; i++) if (!see(`churn-${i}`, i)) gone++
    }
    assert.is(changes > 1000, true, `${changes} changes seen`)
    assert.is(gone > 100, true, `${gone} absences seen`)
  }))

test('a writer terminated at any moment leaves a whole map behind', async () => {
  for (let round = 0; round < 20; round++) {
    await withWriter(async (map, kill) => {
      const moment = performance.now() + Math.random() * 10
      while (performance.now() < moment);
      await kill()
      let unavailable = 0
      const see = (key: string, index: number): void => {
        try {
          checked(map, key, index)
        } catch (error) {
          if (!(error instanceof BeamlineError && error.code === 'UNAVAILABLE')) throw error
          unavailable++
        }
      }
      for (let i = 0; i < 50; i++) {
        assert.is(map.find(`stay-${i}`) >= 0, true)
        see(`stay-${i}`, i)
      }
      for (let i = 0; i < 200; i++) see(`churn-${i}`, i)
      assert.is(unavailable <= 1, true, `${unavailable} entries were left half replaced`)
    })
  }
})

test.run()
