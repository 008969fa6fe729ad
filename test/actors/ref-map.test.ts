import fc from 'fast-check'
import { RefMap } from '../../src/actors/ref-map.js'
import { Ref } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'

const test = suite('RefMap')

const ref = (thread: number, serial: number) => new Ref('node', thread, serial)

test('is a map, whatever comes and goes, of references of any thread and of any age', () => {
  const serial = fc.oneof(fc.nat(20), fc.integer({ min: 2 ** 32 - 3, max: 2 ** 32 + 3 }), fc.nat(2 ** 40))
  const step = fc.record({ adds: fc.boolean(), thread: fc.nat(2), serial })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const map = new RefMap<{ readonly ref: Ref }>()
      const model = new Map<string, { readonly ref: Ref }>()
      for (const { adds, thread, serial } of steps) {
        const key = ref(thread, serial)
        assert.is(map.get(key), model.get(key.toString()))
        if (!adds) assert.is(map.remove(key), model.get(key.toString()))
        if (!adds) model.delete(key.toString())
        else if (!map.has(key)) {
          const entry = { ref: key }
          map.add(entry)
          model.set(key.toString(), entry)
        }
        assert.is(map.size, model.size)
      }
      for (const entry of model.values()) assert.is(map.get(entry.ref), entry)
      assert.is(map.values().length, model.size)
      assert.equal(new Set(map.values()), new Set(model.values()))
    }),
  )
})

test('tells its entries oldest first, and may change meanwhile', () => {
  const map = new RefMap<{ readonly ref: Ref }>()
  for (let serial = 100; serial > 0; serial--) map.add({ ref: ref(1, serial) })
  const seen: number[] = []
  for (const entry of map.values()) {
    seen.push(entry.ref.serial)
    assert.is(map.remove(entry.ref), entry)
  }
  assert.equal(
    seen,
    Array.from({ length: 100 }, (_, i) => i + 1),
  )
  assert.equal([map.size, map.values(), map.remove(ref(1, 1))], [0, [], undefined])
})

test('a million that come and go, a few at a time, need no room', () => {
  const map = new RefMap<{ readonly ref: Ref }>()
  const old = { ref: ref(1, 0) }
  map.add(old)
  for (let serial = 1; serial < 1_000_000; serial++) {
    map.add({ ref: ref(1, serial) })
    if (serial > 10) assert.is(map.take(1, serial - 10)?.ref.serial, serial - 10)
  }
  assert.equal([map.size, map.get(old.ref)], [11, old])
})

test.run()
