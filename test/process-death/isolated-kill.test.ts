import type { Process } from '../../src/actors/process.js'
import { Context } from '../../src/variables/context.js'
import { ObserverManager } from '../../src/variables/observer-manager.js'
import { assert, eventually, suite } from '../harness.js'
import { systemFor } from '../support/system.js'

const dying = new URL('../fixtures/dying.js', import.meta.url)
const watchers = new URL('../fixtures/stuck-watcher.js', import.meta.url)
const ofType = (type: string) => (message: unknown) => (message as { type?: string }).type === type

const test = suite('kill of an isolated process', { timeout: 30_000 })
const system = systemFor(test, { threads: 2 })

async function spinning(self: Process, words: number) {
  return self.spawn(
    { module: dying, export: 'spinner' },
    { to: self.pid, words },
    { thread: 'isolated', monitor: true },
  )
}

test('B15 an endless loop is killed at once, fifteen times', async () => {
  const { self } = system()
  const took: number[] = []
  for (let i = 0; i < 15; i++) {
    const pid = await spinning(self, 1)
    await self.receive()
    const start = performance.now()
    self.exit(pid, 'kill')
    const down = await self.receive<{ pid: unknown; reason: unknown }>(ofType('DOWN'))
    took.push(performance.now() - start)
    assert.is(down.reason, 'killed')
    assert.equal(down.pid, pid)
    assert.is(system().isAlive(pid), false)
  }
  took.sort((a, b) => a - b)
  console.log(`kill to DOWN: median ${took[7]?.toFixed(1)} ms, slowest ${took[14]?.toFixed(1)} ms`)
})

test('A3 its last words come before its DOWN, all of them', async () => {
  const { self } = system()
  const pid = await spinning(self, 500)
  await self.receive((message) => (message as { word?: number }).word === 499)
  self.exit(pid, 'kill')
  const before: unknown[] = []
  for (;;) {
    const message = await self.receive<{ type?: string; word?: number }>()
    if (message.type === 'DOWN') break
    before.push(message.word)
  }
  assert.equal(
    before,
    Array.from({ length: 499 }, (_, i) => i),
  )
})

test('W8 the observers of a watcher that hangs are gone after its kill, and nobody else is disturbed', async () => {
  const { self } = system()
  await using context = await Context.start(system(), { id: 'watched' })
  const variable = await context.define('v', 'integer', 0)
  const seen: number[] = []
  await variable.watch((_name, _previous, value) => seen.push(value))
  const args = { context: 'watched', to: self.pid }
  const pid = await self.spawn({ module: watchers, export: 'stuckWatcher' }, args, {
    thread: 'isolated',
    monitor: true,
  })
  await self.receive((message) => message === 'watching')
  const observers = ObserverManager.of(system())
  assert.is(await observers.count(variable.id), 2)
  await variable.set(1)
  await self.receive((message) => message === 'stuck')
  self.exit(pid, 'kill')
  await self.receive(ofType('DOWN'))
  await eventually(async () => (await observers.count(variable.id)) === 1)
  await variable.set(2)
  assert.equal(seen, [1, 2])
})

test('a call to a process that is killed meanwhile is rejected with the reason', async () => {
  const { self } = system()
  const pid = await spinning(self, 1)
  await self.receive()
  const call = self.call(pid, 'anything', { timeout: Number.POSITIVE_INFINITY })
  self.exit(pid, 'kill')
  const error = await assert.rejects(call, 'NOPROC', /killed/)
  assert.is(error.details['reason'], 'killed')
  await self.receive(ofType('DOWN'))
})

test.run()
