import type { Down } from '../../src/actors/messages.js'
import type { Ref } from '../../src/threads/pid.js'
import { assert, eventually } from '../harness.js'
import { type Place, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('monitors')

each('D1 monitoring a dead process gives a DOWN with noproc and its reference', async (stage, place) => {
  const dead = await stage.dead(place)
  const ref = stage.self.monitor(dead)
  assert.equal(await stage.hear(), { type: 'DOWN', ref, pid: dead, reason: 'noproc' })
})

each('D1 monitoring a process of another system is monitoring a dead one', async (stage, place) => {
  const other = await stage.puppet(place)
  const stranger = Object.assign(Object.create(Object.getPrototypeOf(other.pid)), other.pid, { node: 'elsewhere' })
  const ref = stage.self.monitor(stranger)
  const { reason, ref: seen } = await stage.hear<Down>()
  assert.is(reason, 'noproc')
  assert.ok(seen.equals(ref))
})

each('D2 monitoring a name nobody has gives a DOWN with the name', async (stage, place) => {
  const ref = stage.self.monitor('nobody')
  assert.equal(await stage.hear(), { type: 'DOWN', ref, pid: 'nobody', reason: 'noproc' })
  const other = await stage.puppet(place)
  const its = await other.do<Ref>('monitor', 'nobody')
  assert.equal(await stage.heardBy(other), { type: 'DOWN', ref: its, pid: 'nobody', reason: 'noproc' })
})

each('D2 monitoring a name that somebody has is monitoring that process', async (stage, place) => {
  const other = await stage.puppet(place, { name: 'somebody' })
  const ref = stage.self.monitor('somebody')
  other.tell('exitWith', 'bye')
  assert.equal(await stage.hear(), { type: 'DOWN', ref, pid: other.pid, reason: 'bye' })
})

each('D3 each of several monitors gives a DOWN of its own', async (stage, place) => {
  const other = await stage.puppet(place)
  const refs = [0, 1, 2].map(() => stage.self.monitor(other.pid).toString())
  assert.is(new Set(refs).size, 3)
  other.tell('exitWith', 'bye')
  const seen = [await stage.hear<Down>(), await stage.hear<Down>(), await stage.hear<Down>()]
  assert.equal(seen.map(({ ref }) => ref.toString()).sort(), refs.sort())
  assert.equal(await stage.rest(), [])
})

each('D4 a monitor works in one direction', async (stage, place) => {
  const [watches, target] = [await stage.puppet(place, { monitor: true }), await stage.puppet(place)]
  await watches.do('monitor', target.pid)
  await watches.fence(target.pid)
  assert.equal((await stage.system.info(target.pid))?.monitoredBy, [watches.pid])
  assert.equal((await stage.system.info(watches.pid))?.monitors, [target.pid])
  watches.tell('exitWith', 'boom')
  await stage.reasonOf(watches.pid)
  await eventually(async () => (await stage.system.info(target.pid))?.monitoredBy.length === 0)
})

/** What is left in the mailbox of two monitors of the dead after one of them was ended. */
async function leftAfter(stage: Stage, place: Place, flush: boolean): Promise<void> {
  const dead = await stage.dead(place)
  const refs = [stage.self.monitor(dead), stage.self.monitor(dead)] as const
  await eventually(async () => (await stage.system.info(stage.self.pid))?.messageQueueLength === 2)
  stage.self.demonitor(refs[0], { flush })
  const seen = (await stage.rest()) as Down[]
  assert.equal(
    seen.map(({ ref }) => ref),
    flush ? [refs[1]] : [...refs],
  )
}

each('D5 demonitor with flush takes away a DOWN that waits', (stage, place) => leftAfter(stage, place, true))

each('D5b without flush a DOWN that waits stays', (stage, place) => leftAfter(stage, place, false))

each('D5 a flushed DOWN does not disturb a receive that waits', async (stage, place) => {
  const dead = await stage.dead(place)
  const ref = stage.self.monitor(dead)
  stage.self.send(stage.self.pid, 'first')
  await eventually(async () => (await stage.system.info(stage.self.pid))?.messageQueueLength === 2)
  const waiting = stage.self.receive((message) => message === 'second')
  stage.self.demonitor(ref, { flush: true })
  stage.self.send(stage.self.pid, 'second')
  assert.is(await waiting, 'second')
  assert.equal(await stage.rest(), ['first'])
})

each('D6 demonitor twice, or after the DOWN, is harmless', async (stage, place) => {
  const other = await stage.puppet(place)
  const ref = stage.self.monitor(other.pid)
  stage.self.demonitor(ref)
  stage.self.demonitor(ref)
  const fired = stage.self.monitor(other.pid)
  other.tell('exitWith', 'bye')
  await stage.hear()
  for (const flush of [true, false]) stage.self.demonitor(fired, { flush })
  assert.equal(await stage.rest(), [])
})

each('D7 the reason of a DOWN is the exit reason', async (stage, place) => {
  for (const reason of ['normal', 'shutdown', { shutdown: [1] }, 'anything', 17, null, 'kill', 'killed']) {
    const dying = await stage.puppet(place, { monitor: true })
    dying.tell('exitWith', reason)
    assert.equal(await stage.reasonOf(dying.pid), reason)
  }
})

each('D8 after demonitor no DOWN comes', async (stage, place) => {
  for (let round = 0; round < (place === 'isolated' ? 5 : 30); round++) {
    const other = await stage.puppet(place)
    const ref = stage.self.monitor(other.pid)
    other.tell('exitWith', 'bye')
    if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
    stage.self.demonitor(ref, { flush: true })
    await eventually(() => !stage.system.isAlive(other.pid))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(await stage.rest(), [])
  }
})

each('D10 monitoring oneself gives no DOWN', async (stage, place) => {
  const one = await stage.puppet(place, { monitor: true })
  await one.do('monitor', one.pid)
  assert.equal((await stage.system.info(one.pid))?.monitors, [])
  one.tell('exitWith', 'bye')
  assert.is(await stage.reasonOf(one.pid), 'bye')
  assert.equal(await stage.rest(), [])
})

each('a monitor that is made with a reference of before uses it', async (stage, place) => {
  const ref = stage.self.ref()
  const other = await stage.puppet(place, { monitor: ref })
  other.tell('exitWith', 'bye')
  assert.equal(await stage.hear(), { type: 'DOWN', ref, pid: other.pid, reason: 'bye' })
})

each('monitors across threads are forgotten on both sides when they have fired', async (stage, place) => {
  const [watches, dies] = [await stage.puppet('scheduler thread', { thread: 1 }), await stage.puppet(place)]
  const ref = await watches.do<Ref>('monitor', dies.pid)
  await watches.fence(dies.pid)
  dies.tell('exitWith', 'bye')
  assert.equal(await stage.heardBy(watches), { type: 'DOWN', ref, pid: dies.pid, reason: 'bye' })
  assert.equal((await stage.system.info(watches.pid))?.monitors, [])
})

test('a monitor of what is neither pid nor name is refused', async ({ self }) => {
  for (const bad of [undefined, 42, {}]) assert.throwsCode(() => self.monitor(bad as never), 'INVALID_TYPE')
})

run()
