// What it takes to read a variable whose context is on another thread.
import { ActorSystem, Context, type Variable } from '../src/index.js'
import { brief, cannot } from './harness/arm.js'
import { asking } from './harness/asking.js'
import { runBench } from './harness/run.js'
import { remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'

const get = { what: 'get', where: 'across two threads' }

const raw = new Raw()
const system = await ActorSystem.start({ threads: 1 })
const far = await Context.start(system)
const near = await Context.start(system, { thread: 'main' })

/** Whoever has no variables asks a function of the other thread. */
const against = asking({ ...get, by: raw.by }, raw.call)
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
  else asking({ ...get, by: peer.by }, peer.call, { against })
}

await runBench('reads')
process.exit()
