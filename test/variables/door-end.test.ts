import type { MessagePort } from 'node:worker_threads'
import { Context, openDoor } from '../../src/index.js'
import type { Vars } from '../fixtures/foreign.js'
import { assert, eventually, suite } from '../harness.js'
import { DoorStage, Foreign, startMute } from '../support/foreign.js'
import { gate, range } from '../support/recorder.js'
import { systemFor, withSystem } from '../support/system.js'

const test = suite('door: its end', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

const stage = new DoorStage(system)

test(
  'a context that ends rejects what waits for it and ends its watches',
  stage.scene(async ({ ctx, foreign, endMute }) => {
    await foreign.do('watch', 'room', 'w', 'n')
    const pending = foreign.do('ask', 'mute', 'get', 'n')
    await endMute()
    await assert.rejects(pending, 'NOPROC')
    await ctx.set('n', 2)
    await ctx.stop()
    assert.is(await foreign.endOf('w'), 'UNAVAILABLE')
    assert.equal(foreign.valuesOf('w'), [2])
    await assert.rejects(foreign.do('ask', 'room', 'get', 'n'), 'NOPROC')
  }),
)

test(
  'a watch whose last variable is deleted ends without an error',
  stage.scene(async ({ ctx, foreign }) => {
    await foreign.do('watch', 'room', 'w', 'n')
    await ctx.delete('n')
    await eventually(async () => (await foreign.do('state', 'w')) === 'closed')
    assert.equal(foreign.ended, [])
  }),
)

for (const looping of [false, true]) {
  test(
    `a worker that is terminated in ${looping ? 'an endless loop' : 'the middle of a call'} leaves no observer and no door`,
    stage.scene(async ({ ctx, foreign }) => {
      for (const key of range(1, 10)) await foreign.do('watch', 'room', key, 'n')
      assert.is(await stage.observers(), 10)
      const answer = looping ? foreign.do('loop') : foreign.do('ask', 'mute', 'get', 'n')
      answer.catch(() => {})
      const writes = range(1, 50).map((n) => ctx.set('n', n))
      await foreign.worker.terminate()
      await Promise.all(writes)
      await stage.noneLeft()
    }),
  )
}

test(
  'a port that the foreign thread closes ends its calls and watches there, too',
  stage.scene(async ({ foreign }) => {
    await foreign.do('watch', 'room', 'w', 'n')
    const pending = assert.rejects(foreign.do('ask', 'mute', 'get', 'n'), 'UNAVAILABLE')
    await foreign.do('closePort')
    await pending
    assert.is(await foreign.endOf('w'), 'UNAVAILABLE')
    await assert.rejects(foreign.do('ask', 'room', 'get', 'n'), 'UNAVAILABLE')
    await stage.noneLeft()
  }),
)

test(
  'close ends calls with STOPPED, and watches in silence',
  stage.scene(async ({ foreign }) => {
    await foreign.do('watch', 'room', 'w', 'n')
    const pending = assert.rejects(foreign.do('ask', 'mute', 'get', 'n'), 'STOPPED')
    await foreign.do('close')
    await foreign.do('close')
    await pending
    await assert.rejects(foreign.do('ask', 'room', 'get', 'n'), 'STOPPED')
    assert.is(await foreign.do('state', 'w'), 'closed')
    await foreign.do('stop', 'w')
    assert.equal(foreign.ended, [])
    await stage.noneLeft()
  }),
)

test(
  'a signal that aborts on the foreign side ends calls with its reason',
  stage.scene(async ({ foreign }) => {
    const pending = assert.rejects(foreign.do('ask', 'mute', 'get', 'n'), /enough/)
    await foreign.do('abort')
    await pending
    await assert.rejects(foreign.do('ask', 'room', 'get', 'n'), /enough/)
    await stage.noneLeft()
  }),
)

test(
  'a call that takes too long rejects with CALL_TIMEOUT, and the door serves on',
  stage.scene(async ({ foreign }) => {
    const { details } = await assert.rejects(foreign.do('ask', 'mute', 'get', 'n'), 'CALL_TIMEOUT', /ask/)
    assert.equal(details, { timeout: 2000 })
    assert.is(await foreign.do('ask', 'room', 'get', 'n'), 1)
  }, 2000),
)

test('a system that stops rejects the calls that wait with STOPPED, and ends the watches', () =>
  withSystem({ threads: 1 }, async (other) => {
    const ctx = await Context.start<Vars>(other, { id: 'room' })
    await ctx.define('n', 'integer', 1)
    await startMute(other)
    await using foreign = await Foreign.start(await openDoor(other))
    await foreign.do('watch', 'room', 'w', 'n')
    const pending = range(1, 5).map(() => assert.rejects(foreign.do('ask', 'mute', 'get', 'n'), 'STOPPED'))
    await foreign.do('state', 'w')
    await Promise.all([other.stop(), ...pending])
    assert.is(await foreign.endOf('w'), 'STOPPED')
    await assert.rejects(foreign.do('ask', 'room', 'get', 'n'), 'STOPPED')
    await assert.rejects(openDoor(other), 'STOPPED')
  }))

test('a signal, or the end of the process that opened it, closes a door', async () => {
  const abort = new AbortController()
  await using first = await Foreign.start(await openDoor(system(), { signal: abort.signal }))
  const { opened, open } = gate<MessagePort>()
  const owner = await system().spawn(async (self) => {
    open(await openDoor(self))
    await self.receive()
  })
  await using second = await Foreign.start(await opened)
  assert.is(await stage.doors(), 2)
  abort.abort()
  system().self.send(owner, 'end')
  await stage.noneLeft()
  for (const foreign of [first, second]) await assert.rejects(foreign.do('ask', 'x', 'get', 'n'), 'UNAVAILABLE')
  await assert.rejects(openDoor(system(), { signal: abort.signal }), /abort/)
  await assert.rejects(openDoor(system(), { signal: 'x' as never }), 'INVALID_TYPE')
})

test.run()
