// From `await ctx.set()` to the callback of a watch, while everything is busy with just that.
import { ActorSystem, Context, type Variable } from '../src/index.js'
import { cannot, expect, latency } from './harness/arm.js'
import { Board } from './harness/board.js'
import { runBench } from './harness/run.js'
import { setToCallback, storeIn, storeOf, storesOf } from './harness/store.js'
import { actors, remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'

const what = 'set to callback'
const across = { what, where: 'across two threads' }
const third = { what, where: 'watched on a third thread' }
const within = { what, where: 'within a thread' }

const raw = new Raw()
const others = await remotes()
const system = await ActorSystem.start({ threads: 1 })
const far = await Context.start(system, { id: 'far' })
const near = await Context.start(system, { id: 'near', thread: 'main' })

const trip = setToCallback(across, raw)
setToCallback(across, await storeOf(far), { against: trip })
for (const store of storesOf(others, across)) setToCallback(across, store, { against: trip })

const watched: Variable<number> = await far.define('watched', 'integer', 0)
const board = new Board()
await system.spawn(
  { module: new URL('./processes/watchers.js', import.meta.url), export: 'crowd' },
  { context: 'far', name: 'watched', watchers: 1, calls: 1, memory: board.memory, parent: system.self.pid },
  { thread: 0 },
)
expect('message', await system.self.receive(), 'watching')
let serial = 0
latency(
  third,
  async (watch) => {
    const round = board.rounds + 1
    watch.start()
    await watched.set(++serial)
    watch.stop(await board.reached(round))
    expect('calls', board.rounds, round)
  },
  { against: trip },
)

setToCallback(within, await storeOf(near), { against: trip })
for (const peer of await actors()) {
  if ('why' in peer) cannot({ ...within, by: peer.by }, peer.why)
  else setToCallback(within, await storeIn(peer), { against: trip })
  if (peer.by !== 'comedy') cannot({ ...across, by: peer.by }, 'it has one thread')
}

await runBench('set-callback')
process.exit()
