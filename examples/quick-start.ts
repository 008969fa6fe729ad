// A variable that one thread sets and another watches. Run it: npx tsc && node build/examples/quick-start.js
// In a program of your own, import from 'beamline'.
import { isMainThread } from 'node:worker_threads'
import { ActorSystem, BeamlineError, Context, type Process } from '../src/index.js'

type Model = { temperature: number }

/** A process: it runs on a worker thread, and its watches end with it. */
export async function observer(self: Process): Promise<void> {
  const model = Context.attach<Model>(self, 'model')
  await model.watchOne('temperature', (name, previous, value) => {
    self.send('reader', `${name}: ${previous} → ${value}, seen on ${isMainThread ? 'main' : 'another thread'}`)
  })
  self.send('reader', 'the observer watches')
  await self.receive()
}

// The worker threads import this file, too, for the process above.
if (isMainThread) {
  const system = await ActorSystem.start({ threads: 2 })
  const model = await Context.start<Model>(system, { id: 'model' })
  const temperature = await model.define('temperature', 'float', 0.7, { constraints: { min: 0, max: 2 } })

  await system.self.register('reader')
  await system.spawn({ module: import.meta.url, export: 'observer' })
  console.log(await system.self.receive())

  await temperature.set(0.9)
  console.log(await system.self.receive())

  await temperature.set(3).catch((error: unknown) => {
    if (error instanceof BeamlineError) console.log(`${error.code}: ${error.message}`)
  })
  console.log(`it is still ${temperature.peek()}`)
  await system.stop()
}
