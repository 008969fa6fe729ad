import { bench, do_not_optimize } from 'mitata'
import { ActorSystem, Context, ObserverManager } from '../src/index.js'
import { compileValidator, type Validator } from '../src/variables/types/index.js'
import { done, latency, report, timed } from './support.js'

const VARIABLES = 100
const module = new URL('./processes.js', import.meta.url)
const system = await ActorSystem.start({ threads: 2 })
const { self } = system
const context = await Context.start(system, { id: 'seed' })
for (let i = 1; i <= VARIABLES; i++) await context.define(`bench_var_${i}`, 'integer', i)

latency('LocalState watch setup', async () =>
  timed(async () => {
    const watch = await context.watchOne('bench_var_1', () => {})
    await watch.stop()
  }),
)

let here: unknown
const watch = await context.watchOne('bench_var_50', (_name, _previous, value) => {
  here = value
})
let serial = 0
latency('LocalState notification dispatch', async () => {
  const value = ++serial
  return timed(async () => {
    await context.set('bench_var_50', value)
    done('notified', here, value)
  })
})

const there = await system.spawn(
  { module, export: 'watcher' },
  { context: 'seed', name: 'bench_var_60', parent: self.pid },
)
await self.receive((message) => message === 'watching')
latency('LocalState notification dispatch, watched on another thread and told back', async () => {
  const value = ++serial
  return timed(async () => {
    context.put('bench_var_60', value)
    done('notified', await self.receive(), value)
  })
})

const observers = ObserverManager.of(system)
latency('ObserverManager with 100 observers', async () => {
  const id = `bench_var_${Math.ceil(Math.random() * 1000)}`
  let called = 0
  let callback = () => {}
  const all = new Promise<void>((resolve) => {
    callback = () => {
      if (++called === 100) resolve()
    }
  })
  return timed(async () => {
    const refs = await Promise.all(Array.from({ length: 100 }, () => observers.add(id, callback)))
    observers.notify(id, 1, 2, {})
    await all
    await Promise.all(refs.map((ref) => observers.remove(id, ref)))
    done('called', called, 100)
  })
})

const choices = ['option1', 'option2', 'option3', 'option4']
const choice = (await compileValidator('c', 'choice', { choices })) as Validator
let next = 0
bench('Choice type validation', () => do_not_optimize(choice.parse('c', choices[next++ & 3])))

const names = Array.from({ length: 100 }, (_, i) => `MyApp.Modules.Handler${i}`)
const handler = (await compileValidator('m', 'module', { namespace: 'MyApp.Modules' })) as Validator
bench('Module type validation', () => do_not_optimize(handler.parse('m', names[next++ % 100])))

await report('seed')
self.send(there, 'stop')
await watch.stop()
await system.stop()
