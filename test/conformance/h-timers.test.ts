import { ActorSystem } from '../../src/actors/system.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'
import { assert, suite } from '../harness.js'
import { assertNothingLeft, onStage, type Place, places, type Stage } from '../support/stage.js'

// The test's own process lives on main, whose clock is virtual; timers of other threads are tested with real time.
const test = suite('timers', { timeout: 20_000 })

const clock = new VirtualClock()
let system: ActorSystem
test.before(async () => {
  system = await ActorSystem.start({ threads: 2, clock })
})
test.after(async () => {
  await system.stop()
  assertNothingLeft(system)
  assert.is(clock.pending, 0)
})

const play = (title: string, scene: (stage: Stage) => Promise<void>) => test(title, () => onStage(system, scene))

function each(title: string, scene: (stage: Stage, place: Place) => Promise<void>): void {
  for (const place of places) play(`${title} (${place})`, (stage) => scene(stage, place))
}

play('H1 a message comes when its time has come, and not before', async (stage) => {
  stage.self.sendAfter(stage.self.pid, 'later', 100)
  stage.self.sendAfter(stage.self.pid, 'sooner', 50)
  clock.advance(49)
  assert.equal(await stage.rest(), [])
  clock.advance(1)
  assert.equal(await stage.rest(), ['sooner'])
  clock.advance(1000)
  assert.equal(await stage.rest(), ['later'])
})

play('H1 cancelling gives the milliseconds that were left, then false, and no message comes', async (stage) => {
  const timer = stage.self.sendAfter(stage.self.pid, 'never', 100)
  clock.advance(30)
  assert.is(stage.self.cancelTimer(timer), 70)
  assert.is(stage.self.cancelTimer(timer), false)
  clock.advance(1000)
  assert.equal(await stage.rest(), [])
  const fired = stage.self.sendAfter(stage.self.pid, 'now', 10)
  clock.advance(10)
  assert.is(stage.self.cancelTimer(fired), false)
  assert.equal(await stage.rest(), ['now'])
})

play('H1 the timer of another thread cannot be cancelled here', async (stage) => {
  const other = await stage.puppet('scheduler thread')
  const timer = await other.do<never>('sendAfter', other.pid, 'later', 60_000)
  assert.is(stage.self.cancelTimer(timer), false)
  assert.type(await other.do('cancelTimer', timer), 'number')
})

each('H2 a timer for a dead process fires into nothing', async (stage, place) => {
  const dead = await stage.dead(place)
  stage.self.sendAfter(dead, 'nobody', 10)
  stage.self.sendAfter('nobody', 'nobody', 10)
  stage.self.sendAfter(stage.self.pid, 'after them', 10)
  clock.advance(10)
  assert.equal(await stage.rest(), ['after them'])
})

play('H3 a delay of 0 is still later', async (stage) => {
  stage.self.sendAfter(stage.self.pid, 'later', 0)
  stage.self.send(stage.self.pid, 'now')
  clock.advance(1)
  assert.equal(await stage.rest(), ['now', 'later'])
})

each('H4 a name is looked up when the time has come', async (stage, place) => {
  stage.self.sendAfter('named later', 'found', 10)
  const other = await stage.puppet(place, { name: 'named later' })
  clock.advance(10)
  assert.is(await stage.heardBy(other), 'found')
})

each('H5 a timer outlives its creator', async (stage, place) => {
  const creator = await stage.self.spawn(
    async (self) => {
      self.sendAfter(stage.self.pid, 'from beyond', 10)
    },
    undefined,
    { monitor: true },
  )
  await stage.reasonOf(creator)
  await stage.puppet(place)
  clock.advance(10)
  assert.equal(await stage.rest(), ['from beyond'])
})

each('a timer reaches a process on any thread', async (stage, place) => {
  const other = await stage.puppet(place)
  stage.self.sendAfter(other.pid, { ticked: stage.self.pid }, 10)
  clock.advance(10)
  assert.equal(await stage.heardBy(other), { ticked: stage.self.pid })
})

play('timers of processes on other threads run by real time', async (stage) => {
  for (const place of ['scheduler thread', 'isolated'] as const) {
    const other = await stage.puppet(place)
    await other.do('sendAfter', stage.self.pid, 'ticked', 1)
    assert.is(await stage.self.receive(), 'ticked')
  }
})

play('the message of a timer is a copy of what it was when the timer began', async (stage) => {
  const message = { n: 1 }
  stage.self.sendAfter(stage.self.pid, message, 10)
  message.n = 2
  clock.advance(10)
  assert.equal(await stage.rest(), [{ n: 1 }])
  assert.throwsCode(() => stage.self.sendAfter(stage.self.pid, () => {}, 10), 'NOT_CLONEABLE')
})

play('what is no delay or destination is refused at once', async ({ self }) => {
  for (const ms of [-1, Number.NaN, undefined, '5']) {
    assert.throwsCode(() => self.sendAfter(self.pid, 'x', ms as number), 'INVALID_TYPE', /no delay/)
  }
  for (const to of [undefined, null, 42, {}]) {
    assert.throwsCode(() => self.sendAfter(to as never, 'x', 5), 'INVALID_TYPE', /no destination/)
  }
})

play('a receive waits its time and no longer; a message in time ends the wait', async (stage) => {
  const late = stage.self.receive(undefined, { timeout: 100 })
  clock.advance(99)
  await Promise.resolve()
  clock.advance(1)
  await assert.rejects(late, 'CALL_TIMEOUT', /within 100 ms/)
  const before = clock.pending
  const inTime = stage.self.receive(undefined, { timeout: 100 })
  stage.self.send(stage.self.pid, 'in time')
  assert.is(await inTime, 'in time')
  assert.is(clock.pending, before)
})

play('E5 a call waits 5000 ms unless told, and what answered in time leaves no timer', async (stage) => {
  const other = await stage.puppet('scheduler thread')
  const before = clock.pending
  let settled = false
  const held = stage.self.call(other.pid, { move: 'hold', args: [stage.self.pid] }).finally(() => {
    settled = true
  })
  const from = await stage.called()
  clock.advance(4999)
  await stage.system.info(other.pid)
  assert.is(settled, false)
  clock.advance(1)
  await assert.rejects(held, 'CALL_TIMEOUT', /within 5000 ms/)
  stage.self.reply(from, 'go on')
  await other.do('ref')
  assert.is(clock.pending, before)
})

play('the timers of a process that dies while it waits are gone', async (stage) => {
  const before = clock.pending
  const waiting = await stage.self.spawn(
    async (self) => {
      void self.receive(undefined, { timeout: 1000 })
      await self.call(stage.self.pid, 'answer me')
    },
    undefined,
    { monitor: true },
  )
  await stage.called()
  assert.is(clock.pending, before + 2)
  stage.self.exit(waiting, 'kill')
  await stage.reasonOf(waiting)
  assert.is(clock.pending, before)
})

test.run()
