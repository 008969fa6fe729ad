// A loop on a worker thread whose parameters, and even whose method, are changed from outside while it runs.
// Run it: npx tsc && node build/examples/live-parameters.js. In a program of your own, import from 'beamline'.
import { isMainThread } from 'node:worker_threads'
import { ActorSystem, Context, type Process } from '../src/index.js'

type Search = { rate: number; method: string; x: number }
type Method = (slope: number, rate: number) => number

// The modules that the variable `method` may name: here exports of this file, elsewhere files of a folder.
export const Gradient: Method = (slope, rate) => rate * slope
export const Newton: Method = (slope) => slope / 2

/** Looks for the least (x − 3)². */
export async function search(self: Process): Promise<void> {
  const live = Context.attach<Search>(self, 'search')
  let method: Method = Gradient
  await live.watchOne(
    'method',
    async () => {
      method = (await live.resolve('method')) as Method
    },
    { includeInitial: true },
  )
  for (let x = 0; ; ) {
    x -= method(2 * (x - 3), live.peek('rate'))
    await live.set('x', x)
  }
}

// The worker threads import this file, too, for what is above.
if (isMainThread) {
  const system = await ActorSystem.start({ threads: 1 })
  const live = await Context.start<Search>(system, { id: 'search', modules: { Methods: import.meta.url } })
  await live.define('rate', 'float', 0.001, { constraints: { min: 0, max: 1 } })
  await live.define('method', 'module', 'Methods.Gradient', { constraints: { namespace: 'Methods' } })
  await live.define('x', 'float', 0)
  const steps = live.changes(['x'])
  await system.spawn({ module: import.meta.url, export: 'search' })

  for await (const { value: x, meta } of steps) {
    const say = (what: string) => console.log(`step ${meta.version}: x = ${x.toFixed(4)}, ${what}`)
    if (meta.version === 20) {
      say('now faster')
      await live.set('rate', 0.05)
    }
    if (x > 2 && live.peek('method') === 'Methods.Gradient') {
      say('now by another method')
      await live.set('method', 'Methods.Newton')
    }
    if (Math.abs(x - 3) < 1e-12) {
      say('found')
      break
    }
  }
  console.log(`rate ${live.peek('rate')}, ${live.peek('method')}`)
  await system.stop()
}
