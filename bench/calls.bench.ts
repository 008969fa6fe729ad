// A question to a server and its answer; and requests that want none.
import { ActorSystem } from '../src/index.js'
import { cannot } from './harness/arm.js'
import { asking } from './harness/asking.js'
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

const raw = new Raw()
const trip = asking({ what: call, where: across, by: raw.by }, raw.call)
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
  asking({ what: call, where }, (value) => clerk.echo(value), { against: trip })
  asking({ what: 'call of a process', where }, (value) => system.self.call(process, value), { against: trip })
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
  else asking({ what: call, where: across, by: peer.by }, whyNoCall, { against: trip })
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
  asking({ what: call, where: within, by: peer.by }, (value) => peer.ask(echo, value), { against: trip })
  telling({ what: cast, ...topic }, CASTS, await counterIn(peer), { against: oneWay })
}

await runBench('calls')
process.exit()
