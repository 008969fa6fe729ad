// The thread of a context dies while many write and watch: the time until a write is acknowledged again.
import { ActorSystem, BeamlineError, Context, isDown, type Variable } from '../src/index.js'
import { expect, latency } from './harness/arm.js'
import { runBench } from './harness/run.js'

const WRITERS = 4
const WATCHERS = 10
const mortals = new URL('./processes/mortals.js', import.meta.url)
const watchers = new URL('./processes/watchers.js', import.meta.url)

const system = await ActorSystem.start({ threads: 2 })
const { self } = system
const context = await Context.start(system, { id: 'room' })
const mine: Variable<number> = await context.define('mine', 'integer', 0)
await context.define('theirs', 'integer', 0)
for (const thread of [0, 1]) {
  const board = new SharedArrayBuffer(16)
  const args = { context: 'room', name: 'theirs', watchers: WATCHERS / 2, calls: 1, memory: board, parent: self.pid }
  await system.spawn({ module: watchers, export: 'crowd' }, args, { thread })
  expect('message', await self.receive(), 'watching')
}
for (let i = 0; i < WRITERS; i++)
  await system.spawn({ module: watchers, export: 'writer' }, { context: 'room', name: 'theirs' }, { thread: i % 2 })

let serial = 0
let revision = 0

/** Writes until it is acknowledged. Whoever was asked and died before it answered says so. */
async function write(value: number): Promise<number> {
  for (;;) {
    try {
      return (await mine.set(value)).revision
    } catch (error) {
      if (!(error instanceof BeamlineError && ['NOPROC', 'UNAVAILABLE'].includes(error.code))) throw error
    }
  }
}

latency(
  { what: "death of a context's thread, to the next write that is acknowledged" },
  async (watch) => {
    for (let writes = Math.floor(Math.random() * 20); writes >= 0; writes--) revision = await write(++serial)
    self.monitor(context.pid)
    watch.start()
    await system.spawn({ module: mortals, export: 'bomb' }, undefined, { thread: 'system' }).catch(() => {})
    await self.receive(isDown)
    expect('what was acknowledged', mine.peek(), serial)
    const next = await write(++serial)
    watch.stop()
    expect('whether the revision is a later one', next > revision, true)
    expect('the value', await mine.get(), serial)
  },
  { count: 200 },
)

await runBench('recovery')
process.exit()
