import { ActorSystem, Context, ObserverManager, type Pid, Supervisor, type Variable } from '../src/index.js'
import { eventually } from '../src/testing/eventually.js'
import { RawPeer, rawRoundTrip, rawWorker, roundTrip } from './peers.js'
import { brief, expect, latency, runBench, throughput } from './support.js'

const PIPELINED = 20_000
const module = new URL('./processes.js', import.meta.url)
const against = { peer: roundTrip }

const raw = new RawPeer()
const system = await ActorSystem.start({ threads: 2 })
const { self } = system
const cold = await ActorSystem.start({ threads: 1, spares: 0 })
let serial = 0

const waiting = () => system.threads().flatMap(({ id, kind }) => (kind === 'spare' ? [id] : []))
const warm = () => eventually(() => waiting().length === 2)

rawRoundTrip(raw)

const near = await system.spawn({ module, export: 'echo' }, undefined, { thread: 'main' })
const far = await system.spawn({ module, export: 'echo' }, undefined, { thread: 0 })
for (const [pid, where] of [
  [far, 'across threads'],
  [near, 'within a thread'],
] as const) {
  latency(
    `send and receive, there and back: ${where}`,
    async (watch) => {
      const value = ++serial
      watch.start()
      self.send(pid, { from: self.pid, value })
      const message = await self.receive<{ value: number }>()
      watch.stop()
      expect('echo', message.value, value)
    },
    against,
  )
  latency(
    `call: ${where}`,
    async (watch) => {
      const value = ++serial
      watch.start()
      const answer = await self.call(pid, value)
      watch.stop()
      expect('answer', answer, value)
    },
    against,
  )
}

/** A variable, and what its watch on this thread has been called with. */
async function watched(context: Context) {
  const variable: Variable<number> = await context.define('x', 'integer', 0)
  const seen = { calls: 0, last: 0, until: Number.POSITIVE_INFINITY, reached: () => {} }
  await variable.watch((_name, _previous, value) => {
    seen.last = value
    if (++seen.calls === seen.until) seen.reached()
  })
  return { variable, seen }
}

const places = [
  ['context on another thread', await watched(await Context.start(system, { thread: 'system' }))],
  ['all on one thread', await watched(await Context.start(system, { thread: 'main' }))],
] as const
for (const [where, { variable, seen }] of places) {
  latency(
    `set, answered and its watch called: ${where}`,
    async (watch) => {
      const value = ++serial
      const calls = seen.calls + 1
      watch.start()
      await variable.set(value)
      watch.stop()
      expect('last value', seen.last, value)
      expect('callbacks', seen.calls, calls)
    },
    against,
  )
  latency(
    `get: ${where}`,
    async (watch) => {
      watch.start()
      const value = await variable.get()
      watch.stop()
      expect('value', value, seen.last)
    },
    against,
  )
}
const { variable, seen } = places[0][1]
brief('peek: context on another thread', () => {
  if (variable.peek() !== seen.last) throw new Error(`peek gave another value than ${seen.last}`)
})

const oneWay = `raw postMessage, one way, ${PIPELINED} in flight`
throughput(oneWay, PIPELINED, async (watch) => {
  watch.start()
  for (let i = 0; i < PIPELINED; i++) raw.tell(i)
  const count = await raw.count()
  watch.stop()
  expect('count', count, PIPELINED)
})
const counter = await system.spawn({ module, export: 'counter' }, undefined, { thread: 0 })
throughput(
  `send, one way, ${PIPELINED} in flight`,
  PIPELINED,
  async (watch) => {
    watch.start()
    for (let i = 0; i < PIPELINED; i++) self.send(counter, { value: i })
    const count = await self.call(counter, 'count', { timeout: Number.POSITIVE_INFINITY })
    watch.stop()
    expect('count', count, PIPELINED)
  },
  { peer: oneWay },
)
for (const [where, { variable, seen }] of places) {
  throughput(
    `put to callback, ${PIPELINED} in flight: ${where}`,
    PIPELINED,
    async (watch) => {
      const all = new Promise<void>((resolve) => {
        seen.reached = resolve
      })
      seen.calls = 0
      seen.until = PIPELINED
      watch.start()
      for (let i = 1; i <= PIPELINED; i++) variable.put(i)
      await all
      watch.stop()
      seen.until = Number.POSITIVE_INFINITY
      // Answered after all writes: none of them is called back twice.
      expect('value', await variable.get(), PIPELINED)
      expect('callbacks', seen.calls, PIPELINED)
      expect('last value', seen.last, PIPELINED)
    },
    { peer: oneWay },
  )
}

const isDown = (message: unknown): message is { reason: unknown } => (message as { type?: string }).type === 'DOWN'

latency('spawn to first message: within a thread', async (watch) => {
  watch.start()
  await system.spawn((process) => process.send(self.pid, 'hello'))
  const message = await self.receive()
  watch.stop()
  expect('message', message, 'hello')
})
latency('spawn to first message: on another shared thread', async (watch) => {
  watch.start()
  await system.spawn({ module, export: 'greeter' }, self.pid, { thread: 1 })
  const message = await self.receive()
  watch.stop()
  expect('message', message, 'hello')
})

const start = 'raw Worker, start to first message'
latency(start, async (watch) => {
  watch.start()
  const worker = await rawWorker('')
  watch.stop()
  await worker.terminate()
})
latency(
  'spawn to first message: isolated, cold',
  async (watch) => {
    watch.start()
    await cold.spawn({ module, export: 'greeter' }, cold.self.pid, { thread: 'isolated', monitor: true })
    const message = await cold.self.receive()
    watch.stop()
    expect('message', message, 'hello')
    expect('reason', (await cold.self.receive(isDown)).reason, 'normal')
  },
  { peer: start },
)
const supervisor = await Supervisor.start(system, [], { maxRestarts: 10_000 })
latency(
  'isolated restart of a supervised child, crash to ready, with warm spares',
  async (watch) => {
    const start = { entry: { module, export: 'phoenix' }, args: self.pid, options: { thread: 'isolated' } } as const
    await supervisor.startChild({ id: 'phoenix', start })
    const before = await self.receive<Pid>()
    await warm()
    const spares = waiting()
    watch.start()
    self.send(before, 'crash')
    const after = await self.receive<Pid>()
    watch.stop()
    expect('the first lives', system.isAlive(before), false)
    expect('the second lives', system.isAlive(after), true)
    expect('a spare', spares.includes(after.thread), true)
    await supervisor.terminateChild('phoenix')
    await supervisor.deleteChild('phoenix')
    await warm()
  },
  { peer: start },
)

const terminate = 'raw Worker in an endless loop, terminate to its exit'
latency(
  terminate,
  async (watch) => {
    const worker = await rawWorker('for (;;);')
    watch.start()
    const code = await worker.terminate()
    watch.stop()
    expect('exit code', code, 1)
  },
  { count: 100 },
)
latency(
  'kill of an isolated endless loop, to its DOWN',
  async (watch) => {
    const options = { thread: 'isolated', monitor: true } as const
    const pid = await system.spawn({ module, export: 'spinner' }, self.pid, options)
    expect('message', await self.receive(), 'hello')
    await warm()
    watch.start()
    self.exit(pid, 'kill')
    const down = await self.receive(isDown)
    watch.stop()
    expect('reason', down.reason, 'killed')
  },
  { peer: terminate, count: 200 },
)
const doomed = await Context.start(system, { id: 'doomed', thread: 'system' })
const target: Variable<number> = await doomed.define('x', 'integer', 0)
const observers = ObserverManager.of(system)
latency(
  'kill of an isolated endless loop, to the last of its observers gone',
  async (watch) => {
    const options = { thread: 'isolated', monitor: true } as const
    const pid = await system.spawn({ module, export: 'stuckWatcher' }, { context: 'doomed', parent: self.pid }, options)
    expect('message', await self.receive(), 'hello')
    expect('observers', await observers.count(target.id), 1)
    await target.set(++serial)
    expect('message', await self.receive(), 'stuck')
    await warm()
    watch.start()
    self.exit(pid, 'kill')
    while ((await observers.count(target.id)) > 0);
    watch.stop()
    expect('reason', (await self.receive(isDown)).reason, 'killed')
  },
  { peer: terminate, count: 200 },
)

await runBench('threads')
await raw.stop()
await doomed.stop()
await cold.stop()
await system.stop()
