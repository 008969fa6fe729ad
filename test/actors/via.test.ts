import { isDown } from '../../src/actors/messages.js'
import { Registry } from '../../src/actors/registry/registry.js'
import type { Pid } from '../../src/threads/pid.js'
import { Desk } from '../fixtures/desk.js'
import { errorOf } from '../fixtures/puppet.js'
import { assert, eventually } from '../harness.js'
import { registryOf } from '../support/registries.js'
import { stages } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const { test, each, run } = stages('keys as names')

each('everything that takes a name takes a key', async (stage, place) => {
  const registry = await registryOf(stage)
  const via = registry.via(['puppet', 1])
  const named = await stage.puppet(place, { name: via })
  const witness = await stage.puppet('scheduler thread', { thread: 1 })
  for (const sender of [stage.self, witness] as const) {
    if (sender === witness) await witness.do('send', via, 'sent')
    else stage.self.send(via, 'sent')
    assert.is(await stage.heardBy(named), 'sent')
  }
  stage.self.cast(via, 'cast')
  assert.equal(await stage.heardBy(named), { type: 'CAST', request: 'cast' })
  stage.self.sendAfter(via, 'sent after', 0)
  assert.is(await stage.heardBy(named), 'sent after')
  assert.ok(await stage.self.call(via, { move: 'ref', args: [] }))
  assert.equal(await witness.do('finds', via), named.pid)
  const ref = stage.self.monitor(via)
  named.tell('exitWith', 'bye')
  const down = await stage.hear()
  assert.equal(down, { type: 'DOWN', ref, pid: named.pid, reason: 'bye' })
})

test('a key that nobody has is like a name that nobody has', async (stage) => {
  const registry = await registryOf(stage)
  const via = registry.via('nobody')
  assert.throwsCode(() => stage.self.send(via, 1), 'NOPROC', /no process has the name the key 'nobody' of #PID/)
  stage.self.cast(via, 1)
  stage.self.sendAfter(via, 1, 0)
  await assert.rejects(stage.self.call(via, 1), 'NOPROC', /the call to the key 'nobody'/)
  const ref = stage.self.monitor(via)
  const { pid, reason } = await stage.self.receive(isDown)
  assert.equal([pid, reason], [`the key 'nobody' of ${registry.pid}`, 'noproc'])
  stage.self.demonitor(ref)
})

each('a process takes keys and names at birth, all or none, and more later', async (stage, place) => {
  const registry = await registryOf<number>(stage)
  const puppet = await stage.puppet(place, { name: ['plain', registry.via('a', 1), registry.via('b', 2)] })
  await puppet.do('register', registry.via('c', 3))
  assert.equal(await registry.keys(puppet.pid), ['a', 'b', 'c'])
  for (const name of ['plain', registry.via('a'), registry.via('c')]) {
    assert.equal(stage.system.whereis(name), puppet.pid)
  }
  const names = [registry.via('d'), 'other', registry.via('b')]
  await assert.rejects(stage.puppet(place, { name: names }), 'ALREADY_REGISTERED')
  for (const name of [registry.via('d'), 'other']) assert.is(stage.system.whereis(name), undefined)
  const taken = errorOf(await puppet.do('try', { move: 'register', args: [registry.via('a')] }))
  assert.is(taken.code, 'ALREADY_REGISTERED')
  assert.is(await registry.count(), 3)
})

each('a key is given up like a name, by its own process only', async (stage, place) => {
  const registry = await registryOf(stage)
  const via = registry.via('k')
  const owner = await stage.puppet(place, { name: via })
  await assert.rejects(stage.self.unregister(via), 'NOPROC', /does not have the name the key 'k'/)
  assert.equal(stage.system.whereis(via), owner.pid)
  await owner.do('unregister', via)
  assert.is(stage.system.whereis(via), undefined)
  await stage.self.register(via)
  assert.equal(await owner.do('finds', via), stage.self.pid)
})

each('of many that start under one key one wins, and no other init has run', async (stage, place) => {
  const registry = await registryOf(stage)
  const name = registry.via('wanted')
  const starts = ([place, 'same thread', 'scheduler thread', place] as const).map((where) =>
    stage.start(where, Desk, { boss: stage.self.pid }, { name }),
  )
  const won = (await Promise.allSettled(starts)).flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  assert.is(won.length, 1)
  assert.equal(stage.system.whereis(name), won[0]?.pid)
  assert.equal(await stage.rest(), [{ event: 'init', detail: null }])
})

each('nothing starts under a key of a registry that is dead or refuses it', async (stage, place) => {
  const registry = await registryOf(stage)
  const via = registry.via('k')
  const duplicate = await registryOf(stage, { keys: 'duplicate' })
  await assert.rejects(stage.puppet(place, { name: { ...via, key: null } }), 'INVALID_TYPE', /is no key/)
  await assert.rejects(stage.puppet(place, { name: registry.via('k', () => {}) }), 'NOT_CLONEABLE')
  stage.self.unlink(registry.pid)
  await registry.stop()
  await assert.rejects(stage.puppet(place, { name: via }), 'NOPROC')
  await assert.rejects(stage.self.register(via), 'NOPROC')
  assert.is(stage.system.whereis(via), undefined)
  await assert.rejects(registry.stop(), 'NOPROC')
  assert.equal(await duplicate.entries(), [])
})

test('what only looks like a key of a registry is refused', async (stage) => {
  const via = (await registryOf(stage)).via('k')
  for (const odd of [
    { ...via, table: { buffer: 1 } },
    { ...via, text: 5 },
    { ...via, registry: 'name' },
  ] as never[]) {
    assert.throwsCode(() => stage.self.send(odd, 1), 'INVALID_TYPE')
    assert.throwsCode(() => stage.system.whereis(odd), 'INVALID_TYPE')
    await assert.rejects(stage.puppet('same thread', { name: odd }), 'INVALID_TYPE')
  }
  await withSystem({ threads: 1 }, async (other) => assert.is(other.whereis(via), undefined))
})

test('one that is killed while it waits for its key is never born', async (stage) => {
  const registry = await registryOf(stage)
  const before = new Set(stage.system.processes().map(String))
  const starting = stage.puppet('same thread', { name: registry.via('k') })
  const born = () => stage.system.processes().find((pid) => !before.has(String(pid)))
  // No answer of the registry can come in as long as the event loop does not turn.
  for (let i = 0; i < 100 && born() === undefined; i++) await undefined
  stage.self.exit(born() as Pid, 'kill')
  await assert.rejects(starting, 'NOPROC', /ended before it was ready/)
  assert.equal(await registry.entries(), [])
  assert.is(stage.system.whereis(registry.via('k')), undefined)
})

test('the shell that dies with a registry goes on as another process', async () => {
  await withSystem({ threads: 1 }, async (system) => {
    const registry = await Registry.start(system, { keys: 'unique' })
    await registry.register('shell')
    const before = system.self.pid
    system.self.exit(registry.pid, 'kill')
    await eventually(() => !before.equals(system.self.pid))
    const next = await Registry.start(system, { keys: 'unique' })
    await next.register('shell')
    assert.equal(system.whereis(next.via('shell')), system.self.pid)
    assert.is(system.whereis(registry.via('shell')), undefined)
  })
})

run()
