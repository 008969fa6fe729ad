import fc from 'fast-check'
import { type Entry, EntryTable } from '../../src/actors/registry/entry-table.js'
import { Pid } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'

const test = suite('the table of a registry')

const pids = [1, 2, 3].map((slot) => new Pid('node', 0, slot, 1))
const keys = ['a', 'b', 'c']

const pid = fc.constantFrom(...pids)
const key = fc.constantFrom(...keys)
const move = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), key, pid }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), at: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove all' as const), pid }) },
)

type Move = typeof move extends fc.Arbitrary<infer M> ? M : never

const ids = (entries: Iterable<Entry>): number[] => Array.from(entries, ({ id }) => id)

test('it finds by key, by process and by both what a plain list finds', () => {
  const moves = fc.array(move, { maxLength: 60 })
  const check = (made: readonly Move[]) => {
    const table = new EntryTable()
    let list: Entry[] = []
    for (const one of made) {
      if (one.do === 'add') list.push(table.add(one.key, one.key, one.pid, undefined))
      else if (one.do === 'remove') for (const entry of list.splice(one.at, 1)) table.remove(entry)
      else {
        const own = list.filter((entry) => entry.pid.equals(one.pid))
        assert.equal(new Set(ids(table.removeAll(one.pid))), new Set(ids(own)))
        list = list.filter((entry) => !entry.pid.equals(one.pid))
      }
      for (const text of keys) {
        assert.equal(ids(table.at(text)), ids(list.filter((entry) => entry.text === text)))
        for (const owner of pids) {
          const both = list.filter((entry) => entry.text === text && entry.pid.equals(owner))
          assert.equal(ids(table.at(text, owner)), ids(both))
        }
      }
      for (const owner of pids) {
        const own = list.filter((entry) => entry.pid.equals(owner))
        assert.equal(new Set(ids(table.ownedBy(owner))), new Set(ids(own)))
        assert.is(table.has(owner), own.length > 0)
      }
      assert.equal(new Set(ids(table.all())), new Set(ids(list)))
    }
  }
  fc.assert(fc.property(moves, check), { numRuns: 200 })
})

test('what was removed once cannot be removed again', () => {
  const table = new EntryTable()
  const [first, second] = [0, 1].map((value) => table.add('k', 'k', pids[0] as Pid, value)) as [Entry, Entry]
  for (let i = 0; i < 2; i++) table.remove(first)
  assert.equal([...table.all()], [second])
})

test.run()
