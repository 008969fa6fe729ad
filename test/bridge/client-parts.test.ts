import { Acks, Credit } from '../../src/bridge/client/acks.js'
import { EventTrain } from '../../src/bridge/client/event-train.js'
import { Liveness } from '../../src/bridge/client/liveness.js'
import { Reconnect } from '../../src/bridge/client/reconnect.js'
import { Replica } from '../../src/bridge/client/replica.js'
import { ClientItem, Op } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { toVariable } from '../../src/bridge/wire/native-codec.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'
import { assert, suite } from '../harness.js'
import { integer, setEvent } from './support/scripted-session.js'

const test = suite('parts of a bridge')

test('waits are anywhere up to a limit, which doubles until the cap', () => {
  const limits = new Reconnect({ base: 100, cap: 1000 }, () => 1)
  assert.equal(
    Array.from({ length: 6 }, () => limits.next(0)),
    [100, 200, 400, 800, 1000, 1000],
  )
  assert.is(new Reconnect({ base: 100, cap: 1000 }, () => 0).next(0), 0)
})

test('only after a minute of connection are waits short again', () => {
  const reconnect = new Reconnect({ base: 100, cap: 1000 }, () => 1)
  reconnect.next(0)
  reconnect.connected(0)
  assert.is(reconnect.next(59_999), 200)
  reconnect.connected(100_000)
  assert.is(reconnect.next(160_000), 100)
  assert.is(reconnect.next(160_000), 200)
})

test('what the server asks for wins', () => {
  assert.is(new Reconnect({ base: 100, cap: 1000 }, () => 0.5).next(0, 3000), 3000)
})

/** A liveness by a clock that stands still, and what it does. */
function watched(beat = 1000) {
  const clock = new VirtualClock()
  const did: string[] = []
  const later: (() => void)[] = []
  const liveness = new Liveness({
    clock,
    beat,
    afterInput: (then) => later.push(then),
    ping: () => did.push('ping'),
    dead: () => did.push('dead'),
  })
  return { clock, did, later, liveness }
}

test('it gives a sign with each heartbeat, and finds the other side dead after three without', () => {
  const { clock, did, later, liveness } = watched()
  clock.advance(2999)
  assert.equal([did, later.length], [['ping', 'ping'], 0])
  clock.advance(1)
  later.shift()?.()
  assert.is(did.at(-1), 'dead')
  liveness.stop()
  assert.is(clock.pending, 0)
})

test('it counts from the last sign', () => {
  const { clock, did, later, liveness } = watched()
  clock.advance(2500)
  liveness.heard()
  clock.advance(2999)
  assert.is(later.length, 0)
  clock.advance(1)
  later.shift()?.()
  assert.is(did.at(-1), 'dead')
  liveness.stop()
})

test('after a standstill of its own thread it reads what has come before it judges', () => {
  const { clock, did, later, liveness } = watched()
  clock.advance(3000)
  // What waited to be read.
  liveness.heard()
  later.shift()?.()
  assert.is(did.includes('dead'), false)
  clock.advance(3000)
  later.shift()?.()
  assert.is(did.at(-1), 'dead')
  liveness.stop()
  later.push(() => assert.unreachable())
})

test('one that is stopped finds nobody dead', () => {
  const { clock, did, later, liveness } = watched()
  clock.advance(3000)
  liveness.stop()
  later.shift()?.()
  assert.is(did.includes('dead'), false)
})

test('events of a revision are handed on once all are there', () => {
  const train = new EventTrain(5)
  const part = (revision: number, more: boolean) => setEvent(1, revision, 0, { more })
  const batch = (through: number, ...events: ReturnType<typeof part>[]) => ({ watchId: 1, prev: 0, through, events })
  assert.is(train.take(batch(7, part(6, false), part(7, true))).length, 1)
  assert.is(train.whole, 6)
  assert.is(train.take(batch(7, part(7, true))).length, 0)
  assert.is(train.pass(9), 6)
  assert.is(train.take(batch(7, part(7, false))).length, 3)
  assert.equal([train.whole, train.pass(9)], [7, 9])
})

test('a replica tells what was before, and follows definitions and deletions', () => {
  const replica = new Replica({ incarnation: 'i', revision: 1, variables: [integer(1, 'x', 1)] })
  const defined = setEvent(2, 2, 0, { op: Op.OP_DEFINE, defined: toVariable(integer(2, 'y', 5)), value: undefined })
  assert.equal([replica.take(defined).name, replica.take(setEvent(2, 3, 6)).previous], ['y', 5])
  assert.is(replica.take(setEvent(1, 4, 2, { metadataJson: '{"source":"a"}' })).previous, 1)
  assert.equal(replica.state().variables[0]?.metadata, { source: 'a' })
  replica.take(setEvent(1, 5, 3))
  assert.equal(replica.state().variables[0]?.metadata, { source: 'local' })
  const deletion = replica.take(setEvent(1, 6, 0, { op: Op.OP_DELETE, value: undefined }))
  assert.equal([deletion.op, deletion.previous, deletion.value], ['delete', 3, undefined])
  assert.equal(
    replica.state().variables.map(({ name }) => name),
    ['y'],
  )
  assert.throwsCode(() => replica.take(setEvent(1, 7, 0)), 'INVALID_TYPE')
})

test('acknowledgements wait for company, but not when half of the credit is used', () => {
  const clock = new VirtualClock()
  const said: unknown[] = []
  const acks = new Acks(
    clock,
    (item) => {
      const { kind } = ClientItem.decode(item)
      if (kind?.$case === 'ack') said.push(kind.value.watches.map(({ through, credit }) => [through, credit]))
    },
    () => 0,
  )
  const credit = new Credit(1, 10)
  acks.used(credit, 2, 5)
  acks.used(credit, 2, 7)
  assert.equal(said, [])
  clock.advance(50)
  assert.equal(said, [[[7, 4]]])
  acks.used(credit, 5, 12)
  assert.equal(said.at(-1), [[12, 5]])
  acks.stop()
  assert.is(clock.pending, 0)
})

test.run()
