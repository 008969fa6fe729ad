// How the cost of a change grows with those who watch it through a bridge: callbacks of one context, which share a stream and
// a watch, and the watches of others, all on one stream or each on its own.
import { ActorSystem, Bridge, Context, type Variable } from '../src/index.js'
import { expect, latency, throughput } from './harness/arm.js'
import { startServer } from './harness/child.js'
import { quick, runBench } from './harness/run.js'
import { WatchCrowd } from './harness/watch-crowd.js'
import { UnaryAndStream } from './peers/grpc.js'

const SIZES = quick ? [1, 10] : [1, 10, 1000]
const MANY = quick ? 100 : 1000
const CALLS = quick ? 1000 : 20_000

const system = await ActorSystem.start({ threads: 1 })
const server = await startServer('bridge-server', 'TCP')
const bridge = await Bridge.connect(system, server.address)
const context = await Context.start(system, { id: 'watched', bridge })

for (const size of SIZES) {
  const variable: Variable<number> = await context.define(`x_${size}`, 'integer', 0)
  let calls = 0
  let done = () => {}
  const updates = Math.max(1, CALLS / size)
  const all = Array.from({ length: size }, () =>
    variable.watch(() => {
      if (++calls === updates * size) done()
    }),
  )
  await Promise.all(all)
  throughput({ what: 'updates in a row to all their callbacks, for each update', size }, updates, async (watch) => {
    calls = 0
    const called = new Promise<void>((resolve) => {
      done = resolve
    })
    watch.start()
    const answers = Array.from({ length: updates }, (_, value) => variable.set(value))
    await called
    watch.stop()
    await Promise.all(answers)
    expect('calls', calls, updates * size)
  })
}

const what = 'set to the last of many watches'
let serial = 0
const oneUpdate = (
  topic: { what: string; where: string; by?: string },
  told: (value: number) => Promise<void>,
  set: (value: number) => unknown,
) =>
  latency({ ...topic, size: MANY }, async (watch) => {
    const value = ++serial
    const all = told(value)
    watch.start()
    const answer = set(value)
    await all
    watch.stop()
    await answer
  })

{
  const raw = await UnaryAndStream.open(await startServer('grpc-server', 'TCP'))
  let [seen, done] = [0, () => {}]
  await Promise.all(
    Array.from({ length: MANY }, () =>
      raw.watch(() => {
        if (++seen === MANY) done()
      }),
    ),
  )
  const told = () => {
    seen = 0
    return new Promise<void>((resolve) => {
      done = resolve
    })
  }
  oneUpdate({ what, where: 'each on a stream of its own', by: raw.by }, told, raw.set)
}

for (const [where, streams] of [
  ['all on one stream', 1],
  ['each on a stream of its own', MANY],
] as const) {
  const name = `crowd_${streams}`
  const variable: Variable<number> = await context.define(name, 'integer', 0)
  const crowd = await WatchCrowd.open(server.address, 'watched', name, MANY, streams)
  oneUpdate(
    { what, where },
    (value) => crowd.told(value),
    (value) => variable.set(value),
  )
}

await runBench('bridge-watches')
process.exit()
