// What it takes to read a variable whose context is on another thread.
import { ActorSystem, Context, type Variable } from '../src/index.js'
import { brief, cannot, expect, latency } from './harness/arm.js'
import { runBench } from './harness/run.js'
import { remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'

const get = { what: 'get', where: 'across two threads' }

const raw = new Raw()
const system = await ActorSystem.start({ threads: 1 })
const far = await Context.start(system)
const near = await Context.start(system, { thread: 'main' })

let serial = 0
/** Whoever has no variables asks a function of the other thread. */
const asked = (by: string, call: (value: number) => Promise<unknown>, options = {}) =>
  latency(
    { ...get, by },
    async (watch) => {
      const value = ++serial
      watch.start()
      const answer = await call(value)
      watch.stop()
      expect('answer', answer, value)
    },
    options,
  )

const against = asked(raw.by, raw.call)
for (const [where, context] of [
  ['across two threads', far],
  ['within a thread', near],
] as const) {
  const variable: Variable<number> = await context.define('x', 'float', 7)
  brief(
    { what: 'get', where },
    async () => {
      if ((await variable.get()) !== 7) throw new Error('get gave another value')
    },
    { against },
  )
  brief(
    { what: 'peek', where },
    () => {
      if (variable.peek() !== 7) throw new Error('peek gave another value')
    },
    { against },
  )
}
for (const peer of await remotes()) {
  if ('why' in peer || typeof peer.call === 'string')
    cannot({ ...get, by: peer.by }, 'why' in peer ? peer.why : String(peer.call))
  else asked(peer.by, peer.call, { against })
}

await runBench('reads')
process.exit()
