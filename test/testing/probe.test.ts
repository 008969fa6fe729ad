import { Probe } from '../../src/testing/index.js'
import { puppet } from '../fixtures/puppet.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'

const test = suite('Probe')
const system = systemFor(test, { threads: 1 })

const puppets = { module: new URL('../fixtures/puppet.js', import.meta.url), export: puppet.name }

/** A test with a probe and a puppet on another thread, which sends what it is told to. */
const probed =
  (body: (probe: Probe, say: (message: unknown) => void, fence: () => Promise<unknown>) => Promise<void>) =>
  async () => {
    await using probe = await Probe.start(system())
    const pid = await probe.self.spawn(puppets, probe.pid, { thread: 0 })
    const say = (message: unknown) => probe.self.send(pid, { told: { move: 'send', args: [probe.pid, message] } })
    await body(probe, say, () => probe.self.call(pid, { move: 'ref', args: [] }))
    probe.self.exit(pid, 'kill')
  }

test(
  'it receives, the first or what matches',
  probed(async (probe, say) => {
    for (const word of ['a', 'b', 'c']) say({ word })
    assert.equal(await probe.receive((message) => (message as { word: string }).word === 'b'), { word: 'b' })
    assert.equal(await probe.receive(), { word: 'a' })
    await probe.expect({ word: 'c' })
    await assert.rejects(probe.receive(undefined, { timeout: 0 }), 'CALL_TIMEOUT')
  }),
)

test(
  'what it did not expect is told',
  probed(async (probe, say) => {
    say({ word: 'b' })
    await assert.rejects(probe.expect({ word: 'a' }), 'CONSTRAINT', /expected .*a.* received .*b/)
  }),
)

test(
  'nothing has come, behind a fence',
  probed(async (probe, say, fence) => {
    await probe.expectNothing()
    await probe.expectNothing(fence)
    say('something')
    await assert.rejects(probe.expectNothing(fence), 'CONSTRAINT', /something/)
    await assert.rejects(
      probe.expectNothing(() => Promise.reject(new Error('of the fence'))),
      /of the fence/,
    )
  }),
)

test('it watches the dead and the dying, and outlives what it is linked to', async () => {
  await using probe = await Probe.start(system())
  const pid = await probe.self.spawn(puppets, probe.pid, { thread: 0, link: true })
  const reason = probe.watch(pid)
  probe.self.exit(pid, 'enough')
  assert.is(await reason, 'enough')
  assert.is(await probe.watch(pid), 'noproc')
  await probe.expect({ type: 'EXIT', pid, reason: 'enough' })
})

test('it takes the options of a spawn, and ends with normal', async () => {
  const probe = await Probe.start(system(), { name: 'the probe' })
  assert.equal(system().whereis('the probe'), probe.pid)
  await assert.rejects(Probe.start(system(), { name: 'the probe' }), 'ALREADY_REGISTERED')
  await using other = await Probe.start(system())
  const reason = other.watch(probe.pid)
  await probe.stop()
  assert.is(await reason, 'normal')
})

test.run()
