// An endless loop, ended from outside while everything else goes on. Run it: npx tsc && node build/examples/kill-a-loop.js
// In a program of your own, import from 'beamline'.
import { isMainThread } from 'node:worker_threads'
import { ActorSystem, type Down, type Process } from '../src/index.js'

/** Never gives its thread back. */
export function spin(self: Process): void {
  self.send('watcher', 'it spins')
  for (;;);
}

// The worker threads import this file, too, for the process above.
if (isMainThread) {
  const system = await ActorSystem.start({ threads: 1 })
  const { self } = system
  await self.register('watcher')

  const spin = { module: import.meta.url, export: 'spin' }
  const pid = await self.spawn(spin, undefined, { thread: 'isolated', monitor: true })
  console.log(await self.receive())

  const start = performance.now()
  self.exit(pid, 'kill')
  const down = await self.receive((message): message is Down => (message as Down).type === 'DOWN')
  console.log(`DOWN: ${down.reason}, ${(performance.now() - start).toFixed(1)} ms after the kill`)
  console.log(`alive: ${system.isAlive(pid)}`)
  await system.stop()
}
