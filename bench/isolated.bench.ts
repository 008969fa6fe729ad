// Processes on threads of their own: what it takes to start one, to start it again, and to kill it.
import { ActorSystem, Context, isDown, ObserverManager, type Pid, Supervisor, type Variable } from '../src/index.js'
import { eventually } from '../src/testing/index.js'
import { expect, latency } from './harness/arm.js'
import { runBench } from './harness/run.js'
import { rawWorker } from './peers/raw.js'

const module = new URL('./processes/mortals.js', import.meta.url)

const system = await ActorSystem.start({ threads: 2 })
const { self } = system
const cold = await ActorSystem.start({ threads: 1, spares: 0 })
let serial = 0

const waiting = () => system.threads().flatMap(({ id, kind }) => (kind === 'spare' ? [id] : []))
/** Two for isolated processes, and one for the place of the system thread. */
const warm = () => eventually(() => waiting().length === 3)

const started = 'spawn to first message'
const start = latency({ what: started, by: 'raw Worker' }, async (watch) => {
  watch.start()
  const worker = await rawWorker('')
  watch.stop()
  await worker.terminate()
})
latency(
  { what: started, where: 'isolated, cold' },
  async (watch) => {
    watch.start()
    await cold.spawn({ module, export: 'greeter' }, cold.self.pid, { thread: 'isolated', monitor: true })
    const message = await cold.self.receive()
    watch.stop()
    expect('message', message, 'hello')
    expect('reason', (await cold.self.receive(isDown)).reason, 'normal')
  },
  { against: start },
)
const supervisor = await Supervisor.start(system, [], { maxRestarts: 10_000 })
latency(
  { what: 'restart of a supervised child, crash to ready', where: 'isolated, with warm spares' },
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
  { against: start },
)

const killed = 'kill of an endless loop'
const terminate = latency(
  { what: killed, where: 'to its exit', by: 'raw Worker' },
  async (watch) => {
    const worker = await rawWorker('for (;;);')
    watch.start()
    const code = await worker.terminate()
    watch.stop()
    expect('exit code', code, 1)
  },
  { count: 40 },
)
latency(
  { what: killed, where: 'isolated, to its DOWN' },
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
  { against: terminate, count: 60 },
)
const doomed = await Context.start(system, { id: 'doomed', thread: 'system' })
const target: Variable<number> = await doomed.define('x', 'integer', 0)
const observers = ObserverManager.of(system)
latency(
  { what: killed, where: 'isolated, to the last of its observers gone' },
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
  { against: terminate, count: 60 },
)

await runBench('isolated')
process.exit()
