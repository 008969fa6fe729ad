import { Registry } from '../../src/actors/registry/registry.js'
import { startSimulated } from '../../src/testing/simulated-threads.js'
import { Context } from '../../src/variables/context.js'
import { assert, suite } from '../harness.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
const ofType = (type: string) => (message: unknown) => (message as { type?: string }).type === type

const test = suite('processes on simulated threads')

test('messages, monitors and links cross simulated threads in order', async () => {
  await using system = await startSimulated({ threads: 2 })
  const { self } = system
  const pid = await system.spawn({ module, export: 'resident' }, self.pid, { thread: 1, monitor: true })
  assert.is.not(pid.thread, self.pid.thread)
  for (let i = 0; i < 100; i++) self.send(pid, i)
  self.send(pid, 'stop')
  const heard: unknown[] = []
  for (let i = 0; i < 100; i++) heard.push((await self.receive<{ word: number }>()).word)
  assert.equal(
    heard,
    Array.from({ length: 100 }, (_, i) => i),
  )
  assert.is((await self.receive<{ reason: unknown }>(ofType('DOWN'))).reason, 'normal')
})

test('what a simulated thread gets is a copy', async () => {
  await using system = await startSimulated({ threads: 1 })
  const { self } = system
  const pid = await system.spawn({ module, export: 'resident' }, self.pid, { thread: 0 })
  const message = { list: [1, 2] }
  self.send(pid, message)
  message.list.push(3)
  assert.equal((await self.receive<{ word: unknown }>()).word, { list: [1, 2] })
})

test('the end of an isolated thread is the death of its process, after its last words', async () => {
  await using system = await startSimulated({ threads: 1 })
  const { self } = system
  const pid = await system.spawn({ module, export: 'resident' }, self.pid, { thread: 'isolated', monitor: true })
  self.send(pid, 'last words')
  assert.is((await self.receive<{ word: unknown }>()).word, 'last words')
  self.exit(pid, 'kill')
  assert.is((await self.receive<{ reason: unknown }>(ofType('DOWN'))).reason, 'killed')
  assert.is(system.isAlive(pid), false)
})

test('a context and its watches work over the in-memory carrier, however late each signal arrives', async () => {
  const late: (() => void)[] = []
  const deliver = (delivery: () => void) => {
    late.push(delivery)
    setImmediate(() => setImmediate(() => late.shift()?.()))
  }
  await using system = await startSimulated({ threads: 1 }, deliver)
  const context = await Context.start(system)
  const variable = await context.define('v', 'integer', 0)
  const seen: number[] = []
  const watch = variable.watch((_name, _previous, value) => seen.push(value), { includeInitial: true })
  void variable.set(1)
  await variable.set(2)
  assert.equal(seen, [0, 1, 2])
  await (await watch).stop()
})

test('keys of a registry are names on simulated threads too', async () => {
  await using system = await startSimulated({ threads: 2 })
  const { self } = system
  const registry = await Registry.start(system, { keys: 'unique' })
  const name = registry.via(['word', 1], 'the value')
  const pid = await system.spawn({ module, export: 'resident' }, self.pid, { thread: 1, monitor: true, name })
  assert.equal(system.whereis(name), pid)
  assert.equal(await registry.lookup(['word', 1]), [{ pid, value: 'the value' }])
  self.send(name, 'stop')
  await self.receive(ofType('DOWN'))
  assert.is(system.whereis(name), undefined)
  assert.equal(await registry.lookup(['word', 1]), [])
})

test.run()
