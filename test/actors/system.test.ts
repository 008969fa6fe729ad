import { Server } from '../../src/actors/server.js'
import { ActorSystem } from '../../src/actors/system.js'
import { Context } from '../../src/variables/context.js'
import { assert, suite } from '../harness.js'

const module = new URL('../fixtures/dying.js', import.meta.url)
export class Failing extends Server {
  static override readonly module = import.meta.url

  override init(): never {
    throw new Error('no desk today')
  }
}

const test = suite('ActorSystem', { timeout: 30_000 })

test('options out of their range are refused and leave nothing', async () => {
  for (const options of [{ threads: 0 }, { threads: 1.5 }, { systemThreads: -1 }, { maxProcesses: Number.NaN }]) {
    await assert.rejects(ActorSystem.start(options), 'INVALID_TYPE', /give a (whole )?number/)
  }
})

test('stop ends every process and thread, and may be repeated', async () => {
  const system = await ActorSystem.start({ threads: 2 })
  await Promise.all([0, 1].map((thread) => system.spawn({ module, export: 'resident' }, system.self.pid, { thread })))
  await system.spawn({ module, export: 'resident' }, system.self.pid, { thread: 'isolated' })
  await system.spawn(async (self) => void (await self.receive()))
  const first = system.stop()
  assert.is(system.stop(), first)
  await first
  assert.equal([system.threads(), system.processes()], [[], []])
})

test('K15 what still waits is rejected with STOPPED, and so is all that begins after', async () => {
  const system = await ActorSystem.start({ threads: 1 })
  const { self } = system
  const context = await Context.start(system)
  await context.define('v', 'integer', 0)
  const silent = await system.spawn(async (process) => void (await process.receive((message) => message === 'never')))
  const waiting = [self.receive(), self.call(silent, 'hello', { timeout: Number.POSITIVE_INFINITY })]
  const [received, called] = waiting.map((promise) => promise.catch((error: unknown) => error)) as Promise<unknown>[]
  await system.stop()
  await assert.rejects(Promise.reject(await received), 'STOPPED')
  await assert.rejects(Promise.reject(await called))
  await assert.rejects(
    system.spawn(() => {}),
    'STOPPED',
    /start another/,
  )
  await assert.rejects(self.receive(), 'STOPPED')
  await assert.rejects(self.call(silent, 'hello'), 'STOPPED')
  await assert.rejects(context.set('v', 1), 'STOPPED')
  await assert.rejects(Context.start(system), 'STOPPED')
  assert.throwsCode(() => context.put('v', 1), 'STOPPED')
  assert.throwsCode(() => context.peek('v'), 'STOPPED')
})

test('a process that does not heed shutdown is killed after the timeout; one in an endless loop too', async () => {
  const system = await ActorSystem.start({ threads: 1 })
  const { self } = system
  await system.spawn(async (process) => {
    process.trapExit = true
    for (;;) await process.receive()
  })
  await system.spawn({ module, export: 'spinner' }, { to: self.pid, words: 1 }, { thread: 'isolated' })
  await self.receive()
  await system.stop({ timeout: 50 })
  assert.equal(system.processes(), [])
})

test('a process on another thread may stop the system', async () => {
  const system = await ActorSystem.start({ threads: 1 })
  const pid = await system.spawn({ module: new URL('../fixtures/stopper.js', import.meta.url), export: 'stopper' })
  const received = system.self.receive()
  system.self.send(pid, 'stop the system')
  await assert.rejects(received, 'STOPPED')
  await system.stop()
})

test('two systems in one program do not meet', async () => {
  await using one = await ActorSystem.start({ threads: 1, name: 'one' })
  await using two = await ActorSystem.start({ threads: 1, name: 'two' })
  const pid = await one.spawn({ module, export: 'resident' }, one.self.pid, { name: 'same' })
  await two.spawn({ module, export: 'resident' }, two.self.pid, { name: 'same' })
  assert.is(two.isAlive(pid), false)
  assert.match(String(pid), /one/)
  two.self.monitor(pid)
  assert.is((await two.self.receive<{ reason: unknown }>()).reason, 'noproc')
})

test('the shell of a thread goes on as a new process when it dies; what it waited for is rejected', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const { self } = system
  const before = self.pid
  const silent = await system.spawn({ module, export: 'resident' }, self.pid)
  const waits = [self.receive(), self.call(silent, 'anybody?')].map((wait) => assert.rejects(wait, 'NOPROC', /killed/))
  self.exit(before, 'kill')
  await Promise.all(waits)
  assert.is(system.isAlive(before), false)
  assert.is(self.pid.equals(before), false)
  assert.is(system.isAlive(self.pid), true)
  assert.is(system.self, self)
  self.send(self.pid, 'still here')
  assert.is(await self.receive(), 'still here')
})

test('who hears that the shell dies and uses the system at once shares its one successor', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const { self } = system
  const before = system.processes().length
  let successor = ''
  self.signal.addEventListener('abort', () => {
    successor = String(system.self.pid)
  })
  self.exit(self.pid, 'kill')
  assert.is(successor, String(self.pid))
  assert.is(self.signal.aborted, false)
  assert.is(system.processes().length, before)
})

test('a linked start whose init fails on another thread is rejected, and the shell lives on', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  for (const thread of [0, 'isolated', 'main'] as const) {
    await assert.rejects(system.start(Failing, undefined, { link: true, thread }), 'NOPROC', /no desk today/)
    assert.is(system.isAlive(system.self.pid), true)
  }
})

test('stop refuses a timeout that is none, and the system runs on; for ever is allowed', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  for (const timeout of [-1, Number.NaN, '5' as unknown as number])
    await assert.rejects(system.stop({ timeout }), 'INVALID_TYPE', /timeout is '?(-1|NaN|5)'?: give/)
  assert.is(system.isAlive(await system.spawn({ module, export: 'resident' }, system.self.pid)), true)
  await system.stop({ timeout: Number.POSITIVE_INFINITY })
})

test.run()
