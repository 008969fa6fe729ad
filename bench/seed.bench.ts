// The local ones of the seed's `bench/stage3_streaming_benchmarks.exs`, under their names there.
import { ActorSystem, Context, ObserverManager, type Ref } from '../src/index.js'
import { compileValidator, type Validator } from '../src/variables/types/index.js'
import { brief, expect, latency } from './harness/arm.js'
import { Board } from './harness/board.js'
import { runBench } from './harness/run.js'
import { setToCallback } from './harness/store.js'
import { Raw } from './peers/raw.js'

const VARIABLES = 100
const OBSERVERS = 100

const system = await ActorSystem.start({ threads: 2 })
const { self } = system
// With a manager on one thread, as there is when all contexts are where they are unless told otherwise.
const other = await ActorSystem.start({ threads: 1 })
const near = await Context.start(system, { id: 'near', thread: 'main' })
const far = await Context.start(system, { id: 'far' })
for (let i = 1; i <= VARIABLES; i++) {
  await near.define(`bench_var_${i}`, 'integer', i)
  await far.define(`bench_var_${i}`, 'integer', i)
}

const against = setToCallback({ what: 'a message there and back' }, new Raw())

let serial = 0
for (const [context, where] of [
  [near, 'all on one thread'],
  [far, 'context on another thread'],
] as const) {
  latency(
    { what: 'LocalState watch setup, and its end', where },
    async (stopwatch) => {
      stopwatch.start()
      const watch = await context.watchOne('bench_var_1', () => {})
      await watch.stop()
      stopwatch.stop()
      expect('names', watch.names[0], 'bench_var_1')
    },
    { against },
  )

  let last: unknown
  let called = 0
  let written = 0
  await context.watchOne('bench_var_50', (_name, _previous, value) => {
    last = value
    called++
  })
  latency(
    { what: 'LocalState notification dispatch', where },
    async (stopwatch) => {
      const value = ++serial
      stopwatch.start()
      await context.set('bench_var_50', value)
      stopwatch.stop()
      expect('last value', last, value)
      expect('callbacks', called, ++written)
    },
    { against },
  )
}

const board = new Board()
await system.spawn(
  { module: new URL('./processes/watchers.js', import.meta.url), export: 'crowd' },
  { context: 'far', name: 'bench_var_60', watchers: 1, calls: 1, memory: board.memory, parent: self.pid },
  { thread: 0 },
)
expect('message', await self.receive(), 'watching')
latency(
  { what: 'LocalState notification dispatch', where: 'watched on a third thread' },
  async (stopwatch) => {
    const round = board.rounds + 1
    stopwatch.start()
    await far.set('bench_var_60', ++serial)
    stopwatch.stop(await board.reached(round))
    expect('calls', board.rounds, round)
  },
  { against },
)

const observers = ObserverManager.of(other)

/** Adds the observers, has all of them called, and removes them. */
async function observe(each: (work: (index: number) => Promise<void>) => Promise<void>): Promise<void> {
  const id = `bench_var_${(++serial % 1000) + 1}`
  let called = 0
  let removed = 0
  let resolve = () => {}
  const all = new Promise<void>((resolved) => {
    resolve = resolved
  })
  const callback = () => {
    if (++called === OBSERVERS) resolve()
  }
  const refs: Ref[] = []
  await each(async (index) => {
    refs[index] = await observers.add(id, callback)
  })
  observers.notify(id, 1, 2)
  await all
  await each(async (index) => {
    if (await observers.remove(id, refs[index] as Ref)) removed++
  })
  expect('called', called, OBSERVERS)
  expect('removed', removed, OBSERVERS)
}

latency({ what: `ObserverManager with ${OBSERVERS} observers`, where: 'one after another' }, async (stopwatch) => {
  stopwatch.start()
  await observe(async (work) => {
    for (let index = 0; index < OBSERVERS; index++) await work(index)
  })
  stopwatch.stop()
})
latency({ what: `ObserverManager with ${OBSERVERS} observers`, where: 'all at once' }, async (stopwatch) => {
  stopwatch.start()
  await observe(async (work) => {
    await Promise.all(Array.from({ length: OBSERVERS }, (_, index) => work(index)))
  })
  stopwatch.stop()
})

const choices = ['option1', 'option2', 'option3', 'option4']
const choice = (await compileValidator('c', 'choice', { choices })) as Validator
const names = Array.from({ length: 100 }, (_, i) => `MyApp.Modules.Handler${i + 1}`)
const handler = (await compileValidator('m', 'module', { namespace: 'MyApp.Modules' })) as Validator
for (const [what, validator, values] of [
  ['Choice', choice, choices],
  ['Module', handler, names],
] as const) {
  let next = 0
  brief({ what: `${what} type validation` }, () => {
    const value = values[next++ % values.length]
    if (validator.parse('name', value) !== value) throw new Error(`${what} gave another value for ${value}`)
  })
}

await runBench('seed')
expect('observers left', (await observers.stats()).observers, 0)
process.exit()
