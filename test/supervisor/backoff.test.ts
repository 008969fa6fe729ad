import { Backoff } from '../../src/supervisor/backoff.js'
import type { VirtualClock } from '../../src/testing/virtual-clock.js'
import { assert, eventually, suite } from '../harness.js'
import { Family, pidsOf, starts } from '../support/supervisors.js'

const test = suite('waits between restarts', { timeout: 30_000 })

test('waits grow by the factor, up to the longest', () => {
  const backoff = new Backoff({ initial: 10, max: 50, factor: 2, jitter: 0 })
  assert.equal(
    [0, 1, 2, 3, 4].map((now) => backoff.next(now)),
    [10, 20, 40, 50, 50],
  )
})

test('a child that was left alone for the longest wait begins anew', () => {
  const backoff = new Backoff({ initial: 10, max: 50, factor: 2, jitter: 0 })
  assert.equal(
    [0, 59, 128, 129].map((now) => backoff.next(now)),
    [10, 20, 40, 50],
  )
  assert.is(backoff.next(229), 10)
})

test('jitter leaves a part of the wait to chance', () => {
  const backoff = new Backoff({ initial: 100, max: 100, factor: 1, jitter: 0.5 })
  assert.equal(
    [0, 0.5, 1].map((chance) => backoff.next(0, chance)),
    [100, 75, 50],
  )
})

/** A family on a virtual clock. */
const family = (scene: (family: Family, clock: VirtualClock) => Promise<void>) => () =>
  Family.onClock('same thread', scene)

test(
  'a restart waits for its time, and the supervisor answers meanwhile',
  family(async (family, clock) => {
    const sup = await family.start([family.child('1')], { backoff: { initial: 100 } })
    family.kill(await family.started('1'))
    await eventually(async () => (await pidsOf(sup))['1'] === 'restarting')
    clock.advance(99)
    assert.equal(await pidsOf(sup), { 1: 'restarting' })
    clock.advance(1)
    family.kill(await family.started('1'))
    await eventually(async () => (await pidsOf(sup))['1'] === 'restarting')
    clock.advance(199)
    assert.equal(await pidsOf(sup), { 1: 'restarting' })
    clock.advance(1)
    await family.started('1')
  }),
)

test(
  'a restart that fails waits longer, and counts',
  family(async (family, clock) => {
    const { memory, count } = starts()
    const child = family.child('1', { starts: memory, failing: [1, 99] })
    const sup = await family.start([child], { backoff: { initial: 100 }, maxRestarts: 2 })
    const { pid } = sup
    family.stage.self.monitor(pid)
    family.kill(await family.started('1'))
    for (const [tries, wait] of [
      [1, 100],
      [2, 200],
    ] as const) {
      await eventually(async () => (await pidsOf(sup))['1'] === 'restarting')
      assert.is(count(), tries)
      clock.advance(wait)
      await eventually(() => count() === tries + 1)
    }
    assert.is(await family.reasonOf(pid), 'shutdown')
    assert.is(count(), 3)
  }),
)

test(
  'a child that is terminated while it waits is not restarted',
  family(async (family, clock) => {
    const sup = await family.start([family.child('1')], { backoff: { initial: 100 } })
    family.kill(await family.started('1'))
    await eventually(async () => (await pidsOf(sup))['1'] === 'restarting')
    await sup.terminateChild('1')
    clock.advance(1000)
    assert.equal(await pidsOf(sup), { 1: undefined })
    assert.equal(await family.traces(), [])
  }),
)

test(
  'a dynamic child that waits is known by the pid it had',
  family(async (family, clock) => {
    const dyn = await family.dynamic({ backoff: { initial: 100 } })
    await dyn.startChild(family.child('1'))
    const pid = await family.started('1')
    family.kill(pid)
    await eventually(async () => (await dyn.whichChildren())[0]?.pid === 'restarting')
    await dyn.terminateChild(pid)
    clock.advance(1000)
    assert.equal(await dyn.whichChildren(), [])
    assert.equal(await family.traces(), [])
  }),
)

test.run()
