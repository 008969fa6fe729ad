// How the cost of a change grows with those who watch it, on one thread and on two: each of them is called.
import { ActorSystem, Context, type Variable } from '../src/index.js'
import { expect, throughput } from './harness/arm.js'
import { Board } from './harness/board.js'
import { quick, runBench } from './harness/run.js'

const SIZES = quick ? [1, 10, 100] : [1, 10, 100, 1000, 10_000, 100_000]
/** The most on two threads. */
const SHARED = 1000

const what = 'set to the last callback, for each of its watchers'
const system = await ActorSystem.start({ threads: 2 })
const context = await Context.start(system, { id: 'watched' })

let serial = 0
for (const threads of [1, 2]) {
  for (const size of SIZES) {
    if (size % threads !== 0 || (threads > 1 && size > SHARED)) continue
    const name = `x_${threads}_${size}`
    const variable: Variable<number> = await context.define(name, 'integer', 0)
    const boards = Array.from({ length: threads }, () => new Board())
    const share = size / threads
    for (const [thread, { memory }] of boards.entries()) {
      await system.spawn(
        { module: new URL('./processes/watchers.js', import.meta.url), export: 'crowd' },
        { context: 'watched', name, watchers: share, calls: share, memory, parent: system.self.pid },
        { thread },
      )
      expect('message', await system.self.receive(), 'watching')
    }
    throughput({ what, where: `on ${threads} other thread${threads > 1 ? 's' : ''}`, size }, size, async (watch) => {
      const rounds = boards.map((board) => board.rounds + 1)
      watch.start()
      await variable.set(++serial)
      const ends = await Promise.all(boards.map((board, index) => board.reached(rounds[index] as number)))
      watch.stop(ends.sort((a, b) => (a < b ? 1 : -1))[0])
    })
  }
}

await runBench('watchers')
process.exit()
