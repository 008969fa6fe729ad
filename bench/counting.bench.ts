// One process sends a million messages to one that counts them, and asks it how many there were.
import { ActorSystem } from '../src/index.js'
import { cannot } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { type Counter, telling } from './harness/telling.js'
import { counterIn } from './peers/counter.js'
import { actors, remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'

const MESSAGES = quick ? 10_000 : 1_000_000
/** For those that take much longer; the figures are of one message. */
const FEWER = MESSAGES / 50
const what = 'counting, for each message'
const [within, across] = ['within a thread', 'across two threads']

const raw = new Raw()
const against = telling({ what, where: across, by: raw.by }, MESSAGES, raw, { count: 5 })
const system = await ActorSystem.start({ threads: 1 })
const { self } = system
for (const [where, thread] of [
  [across, 0],
  [within, 'main'],
] as const) {
  const module = new URL('./processes/talkers.js', import.meta.url)
  const counter = await system.spawn({ module, export: 'counter' }, undefined, { thread })
  const tell = (value: number) => self.send(counter, { value })
  const count = () => self.call(counter, 'count', { timeout: Number.POSITIVE_INFINITY }) as Promise<number>
  telling({ what, where }, MESSAGES, { tell, count }, { against, count: 5 })
}
for (const peer of await remotes()) {
  const topic = { what, where: across, by: peer.by }
  const why = 'why' in peer ? peer.why : peer.tell
  if (typeof why === 'string') cannot(topic, why)
  else telling(topic, FEWER, peer as Counter, { against, count: 5 })
}
for (const peer of await actors()) {
  const topic = { what, where: within, by: peer.by }
  if ('why' in peer) cannot(topic, peer.why)
  else telling(topic, peer.by === 'comedy' ? FEWER : MESSAGES / 10, await counterIn(peer), { against, count: 5 })
}

await runBench('counting')
process.exit()
