import type { ErrorReason } from '../../src/actors/exit-reason.js'
import type { SpawnOptions } from '../../src/actors/spawner.js'
import type { Pid } from '../../src/threads/pid.js'
import { Context } from '../../src/variables/context.js'
import { hostOfGuest, odd, peeker, riddle, survivor, Talker } from '../fixtures/survivor.js'
import { assert, suite } from '../harness.js'
import { onStage, type Place, type Stage } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const test = suite('deaths that are hard to notice', { timeout: 30_000 })

/** A test with a system that is quick to give up on what does not obey. */
const scene = (title: string, play: (stage: Stage) => Promise<void>) =>
  test(title, () => withSystem({ threads: 1, killGrace: 200, stuckAfter: 1000 }, (system) => onStage(system, play)))

const spawn = <A>(stage: Stage, place: Place, what: (self: never, args: A) => unknown, args: A, more?: SpawnOptions) =>
  stage.spawn(place, what as never, args, { monitor: true, ...more }, 'survivor')

for (const place of ['scheduler thread', 'isolated'] as const) {
  scene(`K13 a thread that survives an uncaught error can still be ended (${place})`, async (stage) => {
    const pid = await spawn(stage, place, survivor, stage.self.pid)
    assert.is(await stage.hear(), 'RangeError: survived')
    stage.self.exit(pid, 'kill')
    assert.is(await stage.reasonOf(pid), 'killed')
  })
}

for (const place of ['same thread', 'scheduler thread', 'isolated'] as const) {
  scene(`B3 an error whose parts are no text is a reason all the same (${place})`, async (stage) => {
    const pid = await spawn(stage, place, odd, undefined)
    const { error } = (await stage.reasonOf(pid)) as ErrorReason
    assert.equal([typeof error.name, typeof error.message, typeof error.stack], ['string', 'string', 'string'])
  })
}

for (const place of ['same thread', 'scheduler thread', 'isolated'] as const) {
  scene(`B4 what cannot be asked what it is is a reason all the same (${place})`, async (stage) => {
    const pid = await spawn(stage, place, riddle, undefined)
    assert.is(((await stage.reasonOf(pid)) as ErrorReason).error.name, 'NonError')
  })
}

scene('B15 a looping guest on an isolated thread is killed with its thread', async (stage) => {
  const resident = await spawn(stage, 'isolated', hostOfGuest, stage.self.pid)
  const guest = await stage.hear<Pid>()
  stage.self.monitor(guest)
  stage.self.exit(guest, 'kill')
  assert.is(await stage.reasonOf(guest), 'killed')
  assert.equal(await stage.reasonOf(resident), { hostKilled: guest })
})

scene('K4 what a server on a system thread sends is out before it hangs', async (stage) => {
  const talker = await stage.self.start(Talker, stage.self.pid, { thread: 'system', monitor: true })
  talker.cast.sayAndHang()
  assert.equal([await stage.hear(), await stage.hear(), await stage.hear()], [1, 2, 3])
  stage.self.exit(talker.pid, 'kill')
  assert.is(await stage.reasonOf(talker.pid), 'killed')
})

scene('a buffer that is gone, sent from a system thread, is refused to who sends it', async (stage) => {
  const talker = await stage.start('same thread', Talker, stage.self.pid, { thread: 'system' })
  assert.is(await talker.sendTwice(), 'NOT_CLONEABLE')
  assert.is((await stage.hear<ArrayBuffer>()).byteLength, 8)
})

test('V4 the first thing an isolated process does may be a peek', () =>
  withSystem({ threads: 1 }, async (system) => {
    const context = await Context.start(system)
    await context.define('v', 'integer', 42)
    await onStage(system, async (stage) => {
      await spawn(stage, 'isolated', peeker, { to: stage.self.pid, context: context.pid })
      assert.is(await stage.hear(), 42)
    })
  }))

test.run()
