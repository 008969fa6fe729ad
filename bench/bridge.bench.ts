// From `await ctx.set()` to the callback of a watch when the variable lives in another process, behind a bridge; and how
// many get through in a second.
import { ActorSystem, Bridge, Context } from '../src/index.js'
import { type ArmOptions, expect, throughput } from './harness/arm.js'
import { startServer, transports } from './harness/child.js'
import { quick, runBench } from './harness/run.js'
import { type Store, setToCallback, storeOf, updates } from './harness/store.js'
import { Echo, UnaryAndStream } from './peers/grpc.js'

const WRITERS = 64
const SEPARATE = quick ? 10 : 50
const BATCHED = quick ? 2000 : 20_000

/** Trips before any is measured: what carries them is long, and compiled late. */
const WARM = quick ? 10 : 5000

const what = 'set to callback in another process'

/** Measured once it is warm, as everybody's is. */
async function trip(topic: { readonly what: string; readonly where: string }, store: Store, options?: ArmOptions) {
  for (let value = 1; value <= WARM; value++) {
    const called = new Promise<number>((resolve) => {
      store.onChange = resolve
    })
    await store.set(value)
    expect('value', await called, value)
  }
  return setToCallback(topic, store, options)
}
const system = await ActorSystem.start({ threads: 1 })

for (const transport of transports) {
  const where = `over ${transport}`
  const raw = await startServer('grpc-server', transport)
  const echo = await trip({ what, where }, new Echo(raw))
  const call = await trip({ what, where }, await UnaryAndStream.open(raw), { against: echo })

  const bridge = await Bridge.connect(system, (await startServer('bridge-server', transport)).address)
  const context = await Context.start(system, { bridge })
  const store = await storeOf(context)
  await trip({ what, where }, store, { against: call })
  const here = await Context.start(system, { bridge, thread: 'main' })
  await trip({ what, where: `${where}, the context on this thread` }, await storeOf(here), { against: call })

  const separate = await context.define('separate', 'integer', 0)
  throughput(
    { what: `sets by ${WRITERS} writers who await each, for each`, where },
    WRITERS * SEPARATE,
    async (watch) => {
      const { version } = await context.describe('separate')
      watch.start()
      const writer = async () => {
        for (let i = 0; i < SEPARATE; i++) await separate.set(i)
      }
      await Promise.all(Array.from({ length: WRITERS }, writer))
      watch.stop()
      expect('version', (await context.describe('separate')).version, version + WRITERS * SEPARATE)
    },
  )
  updates({ what: 'sets at once to their callbacks, for each', where }, store, BATCHED, (pieces) => {
    const answers: Promise<unknown>[] = []
    for (let value = 1; value <= pieces; value++) answers.push(store.variable.set(value))
    return Promise.all(answers)
  })
  updates({ what: 'puts at once to their callbacks, for each', where }, store, BATCHED, (pieces) => {
    for (let value = 1; value <= pieces; value++) store.variable.put(value)
  })
}

await runBench('bridge')
process.exit()
