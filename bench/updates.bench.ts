// Many values in flight from writers that do not wait for each of them, to the callback of a watch.
import { ActorSystem, Context, type Variable } from '../src/index.js'
import { cannot, expect, throughput } from './harness/arm.js'
import { Board } from './harness/board.js'
import { quick, runBench } from './harness/run.js'
import { storeIn, storeOf, storesOf, updates } from './harness/store.js'
import { actors, remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'

const IN_FLIGHT = quick ? 10_000 : 20_000
const BATCH = 1000

const one = { what: `raw postMessage, one way, ${IN_FLIGHT} in flight` }
const put = { what: `put to callback, ${IN_FLIGHT} in flight` }
const set = { what: `set to callback, awaited in batches of ${BATCH}` }
const [across, third, within] = ['across two threads', 'watched on a third thread', 'within a thread']

const raw = new Raw()
const others = await remotes()
const system = await ActorSystem.start({ threads: 1 })
const far = await Context.start(system, { id: 'far' })
const near = await Context.start(system, { id: 'near', thread: 'main' })

/** Sets batches of values, each of them awaited as a whole. */
async function batches(write: (value: number) => unknown, pieces: number): Promise<void> {
  for (let done = 0; done < pieces; done += BATCH)
    await Promise.all(Array.from({ length: BATCH }, (_, i) => write(done + i + 1)))
}

function all(write: (value: number) => unknown, pieces: number): void {
  for (let value = 1; value <= pieces; value++) write(value)
}

const oneWay = throughput({ ...one, by: raw.by }, IN_FLIGHT, async (watch) => {
  watch.start()
  all(raw.tell, IN_FLIGHT)
  const count = await raw.count()
  watch.stop()
  expect('count', count, IN_FLIGHT)
})

for (const [where, context] of [
  [across, far],
  [within, near],
] as const) {
  const store = await storeOf(context)
  const write = (value: number) => store.variable.put(value)
  updates({ ...put, where }, store, IN_FLIGHT, (pieces) => all(write, pieces), { against: oneWay })
  updates({ ...set, where }, store, IN_FLIGHT, (pieces) => batches(store.set, pieces), { against: oneWay })
}

const watched: Variable<number> = await far.define('watched', 'integer', 0)
const board = new Board()
await system.spawn(
  { module: new URL('./processes/watchers.js', import.meta.url), export: 'crowd' },
  { context: 'far', name: 'watched', watchers: 1, calls: IN_FLIGHT, memory: board.memory, parent: system.self.pid },
  { thread: 0 },
)
expect('message', await system.self.receive(), 'watching')
throughput(
  { ...put, where: third },
  IN_FLIGHT,
  async (watch) => {
    const round = board.rounds + 1
    watch.start()
    all((value) => watched.put(value), IN_FLIGHT)
    watch.stop(await board.reached(round))
    expect('rounds', board.rounds, round)
    expect('last value', await watched.get(), IN_FLIGHT)
  },
  { against: oneWay },
)

// Fewer of those that take longer.
const SOME = IN_FLIGHT / 10
for (const store of storesOf(others, { ...set, where: across }))
  updates({ ...set, where: across }, store, SOME, (pieces) => batches(store.set, pieces), { against: oneWay })
for (const peer of await actors()) {
  const topic = { ...put, where: within, by: peer.by }
  if ('why' in peer) {
    cannot(topic, peer.why)
    continue
  }
  const store = await storeIn(peer)
  const pieces = peer.by === 'comedy' ? SOME : IN_FLIGHT
  updates(topic, store, pieces, (pieces) => all(store.set, pieces), { against: oneWay })
}

await runBench('updates')
process.exit()
