// What a process costs that has nothing to do.
import { setTimeout } from 'node:timers/promises'
import { ActorSystem } from '../src/index.js'
import { amount, cannot, expect } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { actors } from './peers/index.js'
import { Clerk } from './processes/servers.js'

const MANY = quick ? 1000 : 50_000
const what = 'an idle process'
const system = await ActorSystem.start({ threads: 2 })
const module = new URL('./processes/talkers.js', import.meta.url)

/** Bytes that this thread uses: of its heap, and outside of it. */
async function used(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await setTimeout(1)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The bytes of each of many, which are kept until that is known. */
async function each(make: () => Promise<unknown>, count: () => Promise<number> = used): Promise<number> {
  await make()
  const kept: unknown[] = new Array(MANY).fill(undefined)
  const before = await count()
  for (let i = 0; i < MANY; i++) kept[i] = await make()
  const after = await count()
  expect('kept', kept.length, MANY)
  return (after - before) / MANY
}

amount({ what, where: 'within a thread' }, 'bytes', () =>
  each(() => system.spawn(async (self) => void (await self.receive()))),
)
const accountant = await system.spawn({ module, export: 'accountant' }, undefined, { thread: 0 })
amount({ what, where: 'on another thread' }, 'bytes', () =>
  each(
    () => system.spawn({ module, export: 'sleeper' }, undefined, { thread: 0 }),
    () => system.self.call(accountant, 'bytes') as Promise<number>,
  ),
)
amount({ what: 'an idle server', where: 'within a thread' }, 'bytes', () =>
  each(async () => (await system.start(Clerk, undefined, { thread: 'main' })).pid),
)
for (const peer of await actors()) {
  const topic = { what, where: 'within a thread', by: peer.by }
  if ('why' in peer) cannot(topic, peer.why)
  else amount(topic, 'bytes', () => each(() => peer.spawn(() => {})))
}

await runBench('memory')
process.exit()
