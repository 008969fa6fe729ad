import type { Down } from '../../src/actors/messages.js'
import { Registry, type RegistryEvent } from '../../src/actors/registry/registry.js'
import { Desk } from '../fixtures/desk.js'
import { errorOf } from '../fixtures/puppet.js'
import { assert } from '../harness.js'
import { by, refused, registryOf } from '../support/registries.js'
import { type Place, type Puppet, type Stage, stages } from '../support/stage.js'

const { each, run } = stages('F names and registries', {}, 60_000)

const elsewhere: Readonly<Record<Place, Place>> = {
  'same thread': 'scheduler thread',
  'scheduler thread': 'same thread',
  isolated: 'scheduler thread',
}

each(
  'F1 a name is free by the time its DOWN arrives, every time, on whatever thread it is taken next',
  async (stage, place) => {
    let next = place
    for (let round = 0; round < (place === 'isolated' ? 20 : 200); round++) {
      const one = await stage.puppet(next, { name: 'contested', monitor: true })
      one.tell('exitWith', 'bye')
      await stage.reasonOf(one.pid)
      assert.is(stage.system.whereis('contested'), undefined)
      next = next === place ? elsewhere[place] : place
    }
  },
)

each(
  'F1 a name is free by the time the EXIT of a link arrives, when its thread is killed too',
  async (stage, place) => {
    stage.self.trapExit = true
    for (let round = 0; round < 10; round++) {
      const one = await stage.puppet(place, { name: 'contested', link: true })
      stage.self.exit(one.pid, 'kill')
      await stage.hear()
      assert.is(stage.system.whereis('contested'), undefined)
      await stage.puppet('same thread', { name: `heir ${round}` })
    }
  },
)

each('F2 a name that a live process has is refused, and the refused process never runs', async (stage, place) => {
  const holder = await stage.puppet(place, { name: 'taken' })
  for (const where of ['same thread', place] as const) {
    const options = { name: 'taken', monitor: true, link: true }
    const { details, message } = await assert.rejects(stage.puppet(where, options), 'ALREADY_REGISTERED')
    assert.match(message, /'taken' belongs to a live process/)
    assert.ok(holder.pid.equals(details['pid']))
  }
  const refused = errorOf(await holder.do('try', { move: 'register', args: ['taken'] }))
  assert.is(refused.code, 'ALREADY_REGISTERED')
  await assert.rejects(stage.self.register('taken'), 'ALREADY_REGISTERED')
  assert.equal(await stage.rest(), [])
})

each('F2 of many that want a name at one time exactly one gets it', async (stage, place) => {
  for (let round = 0; round < 5; round++) {
    const name = `wanted ${round}`
    const tries = [...Array(4)].flatMap(() =>
      (['same thread', place, 'scheduler thread'] as const).map((where) => stage.puppet(where, { name })),
    )
    const outcomes = await Promise.allSettled(tries)
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.pid] : []))
    assert.is(won.length, 1)
    assert.equal(stage.system.whereis(name), won[0])
  }
})

async function leave(stage: Stage, puppet: Puppet): Promise<void> {
  puppet.tell('leave')
  await stage.reasonOf(puppet.pid)
}

each('F3 a key of a unique registry that a live process has is refused, with its pid', async (stage, place) => {
  const registry = await registryOf(stage)
  const [owner, other] = [await stage.puppet(place), await stage.puppet('scheduler thread', { thread: 1 })]
  await by(owner, registry, 'register', 'k3', 1)
  for (const puppet of [other, owner]) {
    const { code, details } = await refused(registry, puppet, 'register', 'k3', 2)
    assert.is(code, 'ALREADY_REGISTERED')
    assert.ok(owner.pid.equals(details['pid']))
  }
  assert.equal(await registry.lookup('k3'), [{ pid: owner.pid, value: 1 }])
})

each('F4 of a duplicate registry many may have a key, and one process may have it twice', async (stage, place) => {
  const registry = await registryOf(stage, { keys: 'duplicate' })
  const owner = await stage.puppet(place)
  for (const value of [1, 2]) await by(owner, registry, 'register', 'k4', value)
  await registry.register('k4', 3)
  const [twice, own] = [owner.pid, stage.self.pid]
  assert.equal(await registry.lookup('k4'), [
    { pid: twice, value: 1 },
    { pid: twice, value: 2 },
    { pid: own, value: 3 },
  ])
})

each('F5 the key of a dead process can be taken at once, and no lookup shows the dead', async (stage, place) => {
  const registry = await registryOf<number>(stage)
  for (let round = 0; round < (place === 'isolated' ? 10 : 100); round++) {
    const key = ['k5', round]
    const owner = await stage.puppet(place, { monitor: true, name: registry.via(key, 1) })
    assert.equal(await registry.values(key), [1])
    owner.tell('exitWith', 'bye')
    await stage.reasonOf(owner.pid)
    assert.is(stage.system.whereis(registry.via(key)), undefined)
    const [seen] = await Promise.all([registry.lookup(key), registry.register(key, 2)])
    assert.equal(seen, [])
    assert.equal(await registry.lookup(key), [{ pid: stage.self.pid, value: 2 }])
  }
})

each('F6 unregister takes out only one’s own entries, and an unknown key is no fault', async (stage, place) => {
  const registry = await registryOf(stage, { keys: 'duplicate' })
  const other = await stage.puppet(place)
  await by(other, registry, 'register', 'k6', 'other')
  await registry.register('k6', 'mine')
  await registry.unregister('k6')
  assert.equal(await registry.lookup('k6'), [{ pid: other.pid, value: 'other' }])
  await registry.unregister('unknown')
  assert.equal(await registry.lookup('unknown'), [])
})

each(
  'F7 a key is a name to start under, to call and to find; a taken one is refused before init',
  async (stage, place) => {
    const registry = await registryOf(stage)
    const via = registry.via({ desk: 7 }, 'the value')
    const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { name: via })
    assert.equal(await stage.hear(), { event: 'init', detail: null })
    assert.equal(await stage.self.call(via, { method: 'echo', args: [9] }), [9])
    assert.equal(stage.system.whereis(via), desk.pid)
    assert.equal(await registry.lookup({ desk: 7 }), [{ pid: desk.pid, value: 'the value' }])
    const late = stage.start('scheduler thread', Desk, { boss: stage.self.pid }, { name: via })
    const { details } = await assert.rejects(late, 'ALREADY_REGISTERED')
    assert.ok(desk.pid.equals(details['pid']))
    const witness = await stage.puppet('scheduler thread', { thread: 1 })
    assert.equal(await witness.do('finds', via), desk.pid)
    assert.equal(await stage.rest(), [])
  },
)

each('F8 dispatch hands over pids and values, and is not called when there are none', async (stage, place) => {
  const registry = await registryOf(stage, { keys: 'duplicate' })
  const owner = await stage.puppet(place)
  await by(owner, registry, 'register', 'k8', 'v')
  const heard: unknown[] = []
  await registry.dispatch('k8', (entries) => heard.push(entries))
  await registry.dispatch('k8 none', (entries) => heard.push(entries))
  assert.equal(heard, [[{ pid: owner.pid, value: 'v' }]])
})

each('F9 a value is updated by the owner of its key only', async (stage, place) => {
  const registry = await registryOf<number>(stage)
  const owner = await stage.puppet(place)
  await by(owner, registry, 'register', 'k9', 1)
  assert.equal(await owner.do('increment', registry.pid, 'k9'), { value: 2, previous: 1 })
  await assert.rejects(
    registry.updateValue('k9', (value) => value + 1),
    'NOT_FOUND',
  )
  assert.equal(await registry.values('k9'), [2])
})

each('F10 the death of a registry ends those with an entry, unless they trap exits', async (stage, place) => {
  stage.self.trapExit = true
  const registry = await registryOf(stage)
  const [owner, former, brave] = [
    await stage.puppet(place, { monitor: true }),
    await stage.puppet(place),
    await stage.puppet(place),
  ]
  for (const puppet of [owner, former, brave]) await by(puppet, registry, 'register', String(puppet.pid))
  await by(former, registry, 'unregister', String(former.pid))
  await brave.do('trapExit', true)
  stage.self.exit(registry.pid, 'kill')
  assert.is(await stage.reasonOf(owner.pid), 'killed')
  assert.equal(await stage.heardBy(brave), { type: 'EXIT', pid: registry.pid, reason: 'killed' })
  assert.is(await former.do('sees', former.pid), true)
  assert.is(stage.system.whereis(registry.via(String(brave.pid))), undefined)
})

each('F10 the death of an owner, its parent’s too, does a registry no harm', async (stage, place) => {
  const starter = await stage.puppet(place, { monitor: true })
  const { pid } = await starter.do<{ pid: Registry['pid'] }>('startRegistry')
  const registry = await Registry.attach(stage.self, pid)
  await by(starter, registry, 'register', 'of the parent')
  starter.tell('exitWith', 'a crash')
  await stage.reasonOf(starter.pid)
  assert.equal(await registry.entries(), [])
  await registry.register('of the parent')
  await registry.stop()
})

each('K6 no lookup, made at whatever moment, shows a process whose DOWN was seen', async (stage, place) => {
  const registry = await registryOf(stage, { keys: 'duplicate' })
  const seen = new Set<string>()
  const puppets = await Promise.all(
    [...Array(place === 'isolated' ? 6 : 40)].map((_, i) =>
      stage.puppet(i % 2 ? place : 'scheduler thread', { monitor: true }),
    ),
  )
  await Promise.all(puppets.map((puppet) => by(puppet, registry, 'register', 'crowd')))
  assert.is(await registry.count('crowd'), puppets.length)
  const burying = (async () => {
    while (seen.size < puppets.length) seen.add(String((await stage.hear<Down>()).pid))
  })()
  for (const [i, puppet] of puppets.entries()) {
    stage.self.exit(puppet.pid, i % 3 ? 'kill' : 'bye')
    const asked = [registry.lookup('crowd'), registry.entries()]
    const known = new Set(seen)
    for (const { pid } of (await Promise.all(asked)).flat()) assert.is(known.has(String(pid)), false)
    for (const { pid } of await registry.lookup('crowd')) assert.is(seen.has(String(pid)), false)
  }
  await burying
  assert.equal([await registry.lookup('crowd'), await registry.keys(), await registry.count()], [[], [], 0])
})

each('F11 listeners hear who comes and who goes, also by death', async (stage, place) => {
  await stage.self.register('listener')
  const registry = await registryOf(stage, { listeners: [stage.self.pid, 'listener', 'nobody'] })
  const owner = await stage.puppet(place, { monitor: true })
  await by(owner, registry, 'register', 'k11', 7)
  await by(owner, registry, 'unregister', 'k11')
  await by(owner, registry, 'register', 'k11', 8)
  await leave(stage, owner)
  const types = ['register', 'unregister', 'register', 'unregister'] as const
  const expected = types.flatMap((type, i) => {
    const event: RegistryEvent = { type, registry: registry.pid, key: 'k11', pid: owner.pid, value: i < 2 ? 7 : 8 }
    return [event, event]
  })
  const heard: unknown[] = []
  while (heard.length < expected.length) heard.push(await stage.hear())
  assert.equal(heard, expected)
})

run()
