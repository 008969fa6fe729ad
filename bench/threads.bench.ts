// How much more gets done on more threads: each has a process that sends to one on the same thread, or on the next one.
import { ActorSystem, type Pid } from '../src/index.js'
import { expect, throughput } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'

const MESSAGES = quick ? 2000 : 50_000
const what = 'messages to counters, for each message of all'
const module = new URL('./processes/talkers.js', import.meta.url)

for (const size of [1, 2, 3, 4]) {
  const system = await ActorSystem.start({ threads: size })
  const { self } = system
  const numbers = Array.from({ length: size }, (_, i) => i)
  const counters = await Promise.all(
    numbers.map((thread) => system.spawn({ module, export: 'counter' }, undefined, { thread })),
  )
  for (const [where, step] of [
    ['each within its thread', 0],
    ['each to the next thread', 1],
  ] as const) {
    const produce = (thread: number): Promise<Pid> => {
      const args = { to: counters[(thread + step) % size] as Pid, parent: self.pid }
      return system.spawn({ module, export: 'producer' }, args, { thread })
    }
    if (step > 0 && size === 1) continue
    const producers = await Promise.all(numbers.map(produce))
    throughput({ what, where, size }, size * MESSAGES, async (watch) => {
      let counted = 0
      watch.start()
      for (const producer of producers) self.send(producer, MESSAGES)
      for (let i = 0; i < size; i++) counted += await self.receive<number>()
      watch.stop()
      expect('counted', counted, size * MESSAGES)
    })
  }
}

await runBench('threads')
process.exit()
