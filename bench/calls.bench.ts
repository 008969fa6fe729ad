// A question to a server and its answer; and requests that want none.
import { ActorSystem } from '../src/index.js'
import { type Arm, type ArmOptions, cannot, expect, latency } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { type Counter, telling } from './harness/telling.js'
import { counterIn } from './peers/counter.js'
import { actors, remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'
import { Clerk } from './processes/servers.js'

const CASTS = quick ? 2000 : 20_000
const call = 'call of a server'
const cast = `cast to a server, ${CASTS} in flight`
const [within, across] = ['within a thread', 'across two threads']

let serial = 0
function calling(
  where: string,
  ask: (value: number) => Promise<unknown>,
  { by, ...options }: ArmOptions & { by?: string },
): Arm {
  return latency(
    { what: call, where, ...(by && { by }) },
    async (watch) => {
      const value = ++serial
      watch.start()
      const answer = await ask(value)
      watch.stop()
      expect('answer', answer, value)
    },
    options,
  )
}

const raw = new Raw()
const trip = calling(across, raw.call, { by: raw.by })
const oneWay = telling({ what: cast, where: across, by: raw.by }, CASTS, raw)
const system = await ActorSystem.start({ threads: 1 })
for (const [where, thread] of [
  [across, 0],
  [within, 'main'],
] as const) {
  const clerk = await system.start(Clerk, undefined, { thread })
  const process = await system.spawn(
    { module: new URL('./processes/talkers.js', import.meta.url), export: 'echo' },
    undefined,
    { thread },
  )
  calling(where, (value) => clerk.echo(value), { against: trip })
  latency(
    { what: 'call of a process', where },
    async (watch) => {
      const value = ++serial
      watch.start()
      const answer = await system.self.call(process, value)
      watch.stop()
      expect('answer', answer, value)
    },
    { against: trip },
  )
  telling(
    { what: cast, where },
    CASTS,
    { tell: (value) => clerk.cast.tell(value), count: () => clerk.counted() },
    { against: oneWay },
  )
}
for (const peer of await remotes()) {
  const topic = { where: across, by: peer.by }
  const [whyNoCall, whyNoCast] = 'why' in peer ? [peer.why, peer.why] : [peer.call, peer.tell]
  if (typeof whyNoCall === 'string') cannot({ what: call, ...topic }, whyNoCall)
  else calling(across, whyNoCall, { by: peer.by, against: trip })
  if (typeof whyNoCast === 'string') cannot({ what: cast, ...topic }, whyNoCast)
  else telling({ what: cast, ...topic }, CASTS / 10, peer as Counter, { against: oneWay })
}
for (const peer of await actors()) {
  const topic = { where: within, by: peer.by }
  if ('why' in peer) {
    for (const what of [call, cast]) cannot({ what, ...topic }, peer.why)
    continue
  }
  const echo = await peer.spawn((value, reply) => reply(value))
  calling(within, (value) => peer.ask(echo, value), { by: peer.by, against: trip })
  telling({ what: cast, ...topic }, CASTS, await counterIn(peer), { against: oneWay })
}

await runBench('calls')
process.exit()
