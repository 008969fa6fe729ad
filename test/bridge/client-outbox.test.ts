import { Lane } from '../../src/bridge/client/lane.js'
import { type Errand, Outbox } from '../../src/bridge/client/outbox.js'
import { weightOf } from '../../src/bridge/client/weight.js'
import { ClientItem } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { BeamlineError } from '../../src/errors.js'
import { assert, suite } from '../harness.js'

const test = suite('the outbox of a bridge')

/** An outbox, what it has sent, and what has come of its errands. */
function outbox() {
  const sent: number[] = []
  const errors: (BeamlineError | undefined)[] = []
  const box = new Outbox((item) => {
    const { kind } = ClientItem.decode(item)
    if (kind?.$case === 'command') sent.push(kind.value.id)
  })
  box.online(true, 'here')
  const errand = (session = 's'): Errand => ({
    session,
    what: 'set',
    op: () => ({ $case: 'sync', value: {} }),
    done: (_reply, error) => errors.push(error),
  })
  const reply = (id: number) => box.reply({ id, revision: 0, outcome: undefined })
  return { box, sent, errors, errand, reply }
}

test('commands of a session wait until it is there', () => {
  const { box, sent, errand } = outbox()
  box.post(errand())
  box.post(errand('other'))
  assert.equal(sent, [])
  box.setOpen('s', true)
  assert.equal(sent, [1])
  box.setOpen('other', true)
  assert.equal([sent, box.unanswered], [[1, 2], 2])
})

test('what is under way is bounded, and so is what waits', () => {
  const { box, sent, errors, errand, reply } = outbox()
  box.setOpen('s', true)
  for (let count = 0; count < 1_016_384; count++) box.post(errand())
  assert.equal([sent.length, box.unanswered, errors.length], [16_384, 16_384, 0])
  box.post(errand())
  assert.is(errors.pop()?.code, 'OVERFLOW')
  for (let id = 1; id <= 16_384; id++) reply(id)
  assert.is(box.repliesSeen, 16_384)
  box.settled()
  assert.equal([sent.length, sent.at(-1)], [32_768, 32_768])
  box.close(new BeamlineError('STOPPED', 'the end'))
  assert.equal([box.unanswered, errors.at(-1)?.code], [0, 'STOPPED'])
})

test('an answer that comes twice, or to nothing, is dropped; answers out of order leave a gap', () => {
  const { box, errors, errand, reply } = outbox()
  box.setOpen('s', true)
  for (let count = 0; count < 3; count++) box.post(errand())
  reply(2)
  reply(2)
  reply(9)
  assert.equal([errors.length, box.repliesSeen], [1, 0])
  reply(1)
  assert.is(box.repliesSeen, 2)
})

test('what waits is bounded by what it takes, too', () => {
  const { box, errors, errand } = outbox()
  const heavy = { ...errand(), weight: () => 100 * 1024 * 1024 }
  box.post(heavy)
  box.post(heavy)
  assert.is(errors.length, 0)
  box.post(heavy)
  assert.is(errors.pop()?.code, 'OVERFLOW')
  box.post(errand())
  assert.is(errors.length, 0)
  box.rejectWaiting(new BeamlineError('UNAVAILABLE', 'away'))
  assert.is(errors.splice(0).length, 3)
  box.post(heavy)
  box.post(heavy)
  box.setOpen('s', true)
  box.setOpen('s', false)
  box.post(heavy)
  box.post(heavy)
  assert.equal([errors.length, box.unanswered], [0, 2])
})

test('a queue that is never empty lets go of what has gone', () => {
  const lane = new Lane()
  const { errand } = outbox()
  for (let count = 0; count < 100; count++) lane.push(errand(), 1)
  for (let count = 0; count < 5000; count++) {
    lane.push(errand(), 1)
    lane.shift()
  }
  assert.equal([lane.length, lane.bytes, lane.held < 2200], [100, 100, true])
})

test('a value weighs about what it takes', () => {
  assert.is(weightOf({ op: 'set', write: { name: 'x', value: 'x'.repeat(1000) } }) > 1000, true)
  assert.is(weightOf(new Uint8Array(5000)), 5016)
  assert.is(weightOf([1, 2, 3]), 40)
  const ring: unknown[] = []
  ring.push(ring, ring)
  assert.ok(weightOf(ring) > 0)
})

test.run()
