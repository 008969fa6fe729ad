import type { ProcessFn } from '../../src/actors/behaviour.js'
import { type Call, isDown } from '../../src/actors/messages.js'
import type { Key } from '../../src/actors/registry/key.js'
import { Registry, type RegistryOptions } from '../../src/actors/registry/registry.js'
import { assert, eventually } from '../harness.js'
import { by, refused, registryOf } from '../support/registries.js'
import { stages } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const { test, each, run } = stages('registries')

const placements = { 'same thread': 'main', 'scheduler thread': 0, isolated: 'isolated' } as const

each('a registry works on whatever thread it is', async (stage, place) => {
  const registry = await registryOf<string>(stage, { thread: placements[place] })
  const other = await stage.puppet('scheduler thread', { name: registry.via('other', 'by name') })
  await registry.register('own', 'by hand')
  const values = new Map((await registry.entries()).map(({ key, value }) => [key, value]))
  assert.equal(
    values,
    new Map<Key, string>([
      ['other', 'by name'],
      ['own', 'by hand'],
    ]),
  )
  await stage.self.call(registry.via('other'), { move: 'ref', args: [] })
  assert.equal(await registry.keys(other.pid), ['other'])
})

test('keys of one content are one key, and others are others', async (stage) => {
  const registry = await registryOf<number>(stage)
  const ref = stage.self.ref()
  const long = 'ä'.repeat(2000)
  const different: readonly Key[] = [
    ...['1', 1, true, 'true', '', '[1]', [1], [[1]], [], {}, '{}', -1.5, Number.NaN, 'null', '\ud800', '\ud801'],
    ...[stage.self.pid, String(stage.self.pid), ref, String(ref), [stage.self.pid, ref], [1, 2], [2, 1], ['1', 2]],
    ...[{ a: 1, b: [2] }, { a: 1, b: 2 }, { b: 1 }, { 'a":1': 1 }, long, `${long}!`, [long], ['a,b'], ['a', 'b']],
    ...[[['a'], 'b'], [['a', 'b']], [[], []], [[[]]], { toString: 1 }, JSON.parse('{"__proto__":1}') as Key],
  ]
  for (const [i, key] of different.entries()) await registry.register(key, i)
  for (const [i, key] of different.entries()) assert.equal(await registry.values(key), [i], `${i}`)
  assert.is(await registry.count(), different.length)
  const same: readonly (readonly [Key, Key])[] = [
    [
      { b: [2], a: 1 },
      { a: 1, b: [2] },
    ],
    [-0, 0],
    [structuredClone([1, [{ c: 'd' }]]), [1, [{ c: 'd' }]]],
  ]
  await registry.register(0, 0)
  await registry.register([1, [{ c: 'd' }]], 0)
  for (const [one, other] of same) assert.equal(await registry.values(one), await registry.values(other))
})

test('what is no key is refused wherever one is given, and nothing has changed', async (stage) => {
  const registry = await registryOf(stage)
  const circle: unknown[] = []
  circle.push(circle)
  const doubled = Array.from({ length: 31 }).reduce<unknown>((part) => [part, part], 'x')
  class Odd {}
  const odd = [null, undefined, 1n, Symbol('s'), () => {}, new Date(0), new Odd(), new Map(), circle, doubled]
  const readable = Object.defineProperty({}, 'a', { get: () => 1, enumerable: true })
  const parts = [new Proxy([], {}), readable, [null], { a: undefined }, new Array(2)]
  for (const key of [...odd, ...parts] as Key[]) {
    await assert.rejects(registry.register(key), 'INVALID_TYPE', /is no key/)
    await assert.rejects(registry.unregister(key), 'INVALID_TYPE')
    await assert.rejects(registry.lookup(key), 'INVALID_TYPE')
    await assert.rejects(
      registry.updateValue(key, () => 1),
      'INVALID_TYPE',
    )
    assert.throwsCode(() => registry.via(key), 'INVALID_TYPE')
  }
  await assert.rejects(
    registry.register('k', () => {}),
    'NOT_CLONEABLE',
  )
  assert.is(await registry.count(), 0)
})

test('bad options are refused, and start nothing', async (stage) => {
  const before = stage.system.processes().length
  const bad = [undefined, {}, { keys: 'both' }, { keys: 'unique', listeners: 'me' }, { keys: 'unique', listeners: [1] }]
  for (const options of [...bad, { keys: 'unique', metadata: 1 }, { keys: 'unique', name: '' }]) {
    await assert.rejects(Registry.start(stage.self, options as RegistryOptions), 'INVALID_TYPE')
  }
  await assert.rejects(Registry.start({} as never, { keys: 'unique' }), 'INVALID_TYPE')
  await registryOf(stage, { name: 'taken' })
  await assert.rejects(registryOf(stage, { name: 'taken' }), 'ALREADY_REGISTERED')
  await assert.rejects(Registry.attach(stage.self, 'nobody'), 'NOPROC')
  const other = await stage.spawn('same thread', answering, undefined)
  await assert.rejects(Registry.attach(stage.self, other), 'INVALID_TYPE', /is no registry/)
  await eventually(() => stage.system.processes().length === before + 1)
})

test('what no handle says is refused, and harms no registry', async (stage) => {
  const registry = await registryOf(stage)
  const odd = ['what?', null, 5, { kind: 'register' }, { kind: 'write', key: 'k' }, { kind: 'drop', key: 'k' }]
  for (const request of [...odd, { kind: 'lookup' }, { kind: 'register', entry: 1 }, { kind: 'odd' }]) {
    await stage.self.call(registry.pid, request).catch(() => {})
    stage.self.cast(registry.pid, request)
    stage.self.send(registry.pid, request)
  }
  const stranger = await stage.puppet()
  await stranger.do('exit', registry.pid, 'go away')
  assert.equal(await registry.entries(), [])
})

each('of a hundred that want one key at one time exactly one gets it', async (stage, place) => {
  const registry = await registryOf<number>(stage)
  const puppets = await Promise.all(
    [...Array(place === 'isolated' ? 4 : 10)].map((_, i) => stage.puppet(i % 2 ? place : 'scheduler thread')),
  )
  const tries = puppets.flatMap((puppet) =>
    [...Array(place === 'isolated' ? 5 : 10)].map(async (_, key) => {
      const outcome = await puppet.do<object>('try', { move: 'registry', args: [registry.pid, 'register', key] })
      return 'value' in outcome ? [key] : []
    }),
  )
  const won = (await Promise.all(tries)).flat().sort((a, b) => a - b)
  assert.equal(won, [...Array(place === 'isolated' ? 5 : 10).keys()])
  assert.is(await registry.count(), won.length)
  const named = await Promise.allSettled(
    [...Array(100)].map(() => stage.spawn('same thread', waiting, undefined, { name: registry.via('name') })),
  )
  assert.is(named.filter(({ status }) => status === 'fulfilled').length, 1)
})

const answering: ProcessFn<undefined> = async (self) => self.reply((await self.receive<Call>()).from, 'hello?')
const waiting: ProcessFn<undefined> = async (self) => void (await self.receive())

each('a registration that races with a death leaves no entry behind', async (stage, place) => {
  const registry = await registryOf<number>(stage, { listeners: [stage.self.pid] })
  for (let round = 0; round < (place === 'isolated' ? 10 : 50); round++) {
    const puppet = await stage.puppet(place, { monitor: true })
    puppet.tell('all', [
      { move: 'registry', args: [registry.pid, 'register', 'contested', round] },
      { move: 'registry', args: [registry.pid, 'register', ['own', round], round] },
    ])
    if (round % 3 > 0) await registry.lookup('contested')
    stage.self.exit(puppet.pid, round % 2 ? 'kill' : 'bye')
    await stage.self.receive((message) => isDown(message) && puppet.pid.equals(message.pid))
    assert.equal(await registry.entries(), [])
    await registry.register('contested', -1)
    await registry.unregister('contested')
  }
  // Whoever was announced was also taken leave of.
  await registry.register('fence')
  const balance = new Map<string, number>()
  for (;;) {
    const { type, key, pid } = await stage.hear<{ type: string; key: Key; pid: unknown }>()
    if (key === 'fence') break
    const who = `${JSON.stringify(key)} ${pid}`
    balance.set(who, (balance.get(who) ?? 0) + (type === 'register' ? 1 : -1))
  }
  assert.equal(
    [...balance.values()].filter((count) => count !== 0),
    [],
  )
})

test('ten thousand entries are listed whole, by key, by process and all', async (stage) => {
  const registry = await registryOf<number>(stage, { keys: 'duplicate' })
  const other = await stage.puppet('scheduler thread')
  const count = 10_000
  const entering: Promise<void>[] = []
  for (let i = 0; i < count; i++) entering.push(registry.register(i % 2 ? 'odd' : ['even', i], i))
  await Promise.all(entering)
  await by(other, registry, 'register', 'odd', -1)
  const entries = await registry.entries()
  assert.is(entries.length, count + 1)
  assert.equal([...new Set(entries.map(({ value }) => value))].length, count + 1)
  assert.equal((await registry.keys()).length, count / 2 + 1)
  assert.equal((await registry.keys(stage.self.pid)).length, count)
  assert.equal(await registry.keys(other.pid), ['odd'])
  assert.equal((await registry.lookup('odd')).length, count / 2 + 1)
  assert.equal(await registry.values('odd', other.pid), [-1])
  assert.equal(
    [await registry.count(), await registry.count('odd'), await registry.count('none')],
    [count + 1, 5001, 0],
  )
  await registry.unregisterMatch('odd', (value) => value > 100)
  assert.is(await registry.count('odd'), 51)
  await registry.unregister('odd')
  assert.equal(await registry.lookup('odd'), [{ pid: other.pid, value: -1 }])
  assert.is(await registry.count(), count / 2 + 1)
})

each('an owner that has undone the link leaves nothing behind either', async (stage, place) => {
  const registry = await registryOf(stage, { listeners: [stage.self.pid] })
  const owner = await stage.puppet(place, { name: registry.via('k', 1) })
  await owner.do('unlink', registry.pid)
  await stage.hear()
  owner.tell('exitWith', 'bye')
  assert.equal(await stage.hear(), { type: 'unregister', registry: registry.pid, key: 'k', pid: owner.pid, value: 1 })
  assert.equal((await stage.system.info(registry.pid))?.monitors, [])
})

test('updates of a value that meet do not lose each other', async (stage) => {
  const registry = await registryOf<number>(stage)
  await registry.register('count', 0)
  const second = await Registry.attach<number>(stage.self, registry.pid)
  await Promise.all([registry, second, registry].map((one) => one.updateValue('count', (value) => value + 1)))
  assert.equal(await registry.values('count'), [3])
  const duplicate = await registryOf<number>(stage, { keys: 'duplicate' })
  await assert.rejects(
    duplicate.updateValue('count', (value) => value),
    'INVALID_TYPE',
    /unique/,
  )
  assert.throwsCode(() => duplicate.via('count'), 'INVALID_TYPE', /unique/)
  await assert.rejects(
    registry.updateValue('count', () => {
      throw new Error('no')
    }),
    /no/,
  )
})

test('metadata is kept beside the entries', async (stage) => {
  const registry = await registryOf(stage, { metadata: { limit: 3 }, name: 'with metadata' })
  const other = await Registry.attach(stage.self, 'with metadata')
  assert.equal([await other.meta('limit'), await other.meta('other')], [3, undefined])
  await registry.putMeta('limit', { of: [4] })
  assert.equal(await other.meta('limit'), { of: [4] })
  await assert.rejects(registry.putMeta(5 as never, 1), 'INVALID_TYPE')
  assert.is(registry.keyKind, 'unique')
})

each('a key that is given back or refused is free, and not for others to give', async (stage, place) => {
  const registry = await registryOf(stage)
  const owner = await stage.puppet(place)
  await by(owner, registry, 'register', 'k', 1)
  await registry.unregister('k')
  assert.equal(stage.system.whereis(registry.via('k')), owner.pid)
  assert.is((await refused(registry, owner, 'register', 'k')).code, 'ALREADY_REGISTERED')
  await by(owner, registry, 'unregister', 'k')
  assert.is(stage.system.whereis(registry.via('k')), undefined)
  await registry.register('k', 2)
  assert.equal(await owner.do('finds', registry.via('k')), stage.self.pid)
})

test('a registry ends with its parent when linked, and the system stops though nobody is left to stop it', async () => {
  await withSystem({ threads: 1 }, async (system) => {
    let stop = () => {}
    const over = new Promise<void>((resolve) => {
      stop = resolve
    })
    const started = new Promise<Registry[]>((resolve) => {
      const parent: ProcessFn = async (self) => {
        const linked = await Registry.start(self, { keys: 'unique', link: true })
        const free = await Registry.start(self, { keys: 'unique' })
        for (const one of [linked, free]) await one.register('parent')
        resolve([linked, free])
        await over
      }
      void system.spawn(parent)
    })
    const [linked, free] = (await started) as [Registry, Registry]
    const ref = system.self.monitor(linked.pid)
    stop()
    await system.self.receive((message) => isDown(message) && ref.equals(message.ref))
    const handle = await Registry.attach(system, free.pid)
    assert.equal(await handle.entries(), [])
    await system.stop({ timeout: 3_600_000 })
    await assert.rejects(handle.lookup('k'), 'STOPPED')
  })
})

run()
