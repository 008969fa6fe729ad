import { Roster } from '../../src/threads/roster.js'
import { assert, suite } from '../harness.js'

const test = suite('Roster')

/** Three schedulers in threads 11 to 13, then two system places in 21 and 22. */
function seated(): Roster {
  const roster = Roster.create(3, 2)
  for (const [place, thread] of [11, 12, 13, 21, 22].entries()) roster.seat(place, thread)
  return roster
}

test('schedulers are taken in turn, and by number modulo their count', () => {
  const roster = seated()
  assert.equal(
    [...Array(7)].map(() => roster.next()),
    [11, 12, 13, 11, 12, 13, 11],
  )
  assert.equal(
    [0, 2, 3, 10].map((number) => roster.at(number)),
    [11, 13, 11, 12],
  )
})

test('system threads are taken in turn and are never schedulers', () => {
  const roster = seated()
  assert.equal(
    [...Array(4)].map(() => roster.system()),
    [21, 22, 21, 22],
  )
  assert.is(roster.firstSystem(), 21)
  assert.equal(
    [0, 1, 2, 3, 4].map((place) => roster.isSystem(place)),
    [false, false, false, true, true],
  )
})

test('schedulers and system threads have turns of their own', () => {
  const roster = seated()
  const taken = [...Array(6)].map(() => [roster.next(), roster.system()])
  assert.equal(
    taken.map(([scheduler]) => scheduler),
    [11, 12, 13, 11, 12, 13],
  )
  assert.equal(
    taken.map(([, system]) => system),
    [21, 22, 21, 22, 21, 22],
  )
})

test('threads that each take one take different ones', () => {
  const roster = seated()
  const others = [1, 2].map(() => Roster.attach(structuredClone(roster.memory)))
  assert.equal(
    [roster, ...others].map((one) => one.next()),
    [11, 12, 13],
  )
})

test('turns go on when their count wraps', () => {
  const roster = seated()
  new Int32Array(roster.memory.buffer).fill(0x7fffffff, 0, 2)
  for (const _ of Array(4)) {
    assert.ok([11, 12, 13].includes(roster.next()))
    assert.ok([21, 22].includes(roster.system()))
  }
})

test('every thread that has a place is listed, and found by it', () => {
  const roster = seated()
  assert.is(roster.places, 5)
  assert.equal(roster.threads(), [11, 12, 13, 21, 22])
  assert.is(roster.threadIn(4), 22)
})

test('another thread sees the same places, beats and runs', () => {
  const roster = seated()
  const other = Roster.attach(structuredClone(roster.memory))
  other.beat(1)
  other.beat(1)
  other.run(1, 0)
  assert.equal([roster.beats(0), roster.beats(1)], [0, 2])
  assert.is(roster.running(1), 0)
  assert.is(roster.running(0), undefined)
  roster.seat(0, 31)
  assert.is(other.at(0), 31)
})

test('a beat or a run in one place is seen in no other', () => {
  const roster = seated()
  roster.beat(4)
  roster.run(4, 5)
  roster.next()
  roster.system()
  assert.equal(
    [0, 1, 2, 3, 4].map((place) => [roster.beats(place), roster.running(place)]),
    [...Array(4).fill([0, undefined]), [1, 5]],
  )
  assert.equal(roster.threads(), [11, 12, 13, 21, 22])
})

test('who takes a place has run nothing there yet', () => {
  const roster = seated()
  roster.run(2, 77)
  assert.is(roster.running(2), 77)
  roster.seat(2, 33)
  assert.is(roster.running(2), undefined)
})

test.run()
