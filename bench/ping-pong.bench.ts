// Two processes that wait for each other: a message there, a message back, and again.
import { ActorSystem, type Pid } from '../src/index.js'
import { type Arm, type ArmOptions, cannot, expect, throughput } from './harness/arm.js'
import { runBench } from './harness/run.js'
import { actors, remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'

const ROUNDS = 500
const what = 'ping-pong, for each message'
const [within, across] = ['within a thread', 'across two threads']
const module = new URL('./processes/talkers.js', import.meta.url)

const system = await ActorSystem.start({ threads: 1 })
const { self } = system

function pingPong(
  where: string,
  by: string | undefined,
  turn: (value: number) => Promise<unknown>,
  options: ArmOptions = {},
): Arm {
  return throughput(
    { what, where, ...(by && { by }) },
    2 * ROUNDS,
    async (watch) => {
      let sum = 0
      watch.start()
      for (let value = 1; value <= ROUNDS; value++) sum += (await turn(value)) as number
      watch.stop()
      expect('sum', sum, (ROUNDS * (ROUNDS + 1)) / 2)
    },
    options,
  )
}

const turnWith = (pid: Pid) => async (value: number) => {
  self.send(pid, { from: self.pid, value })
  return (await self.receive<{ value: number }>()).value
}

const raw = new Raw()
const against = pingPong(across, raw.by, raw.call)
pingPong(across, undefined, turnWith(await system.spawn({ module, export: 'echo' }, undefined, { thread: 0 })), {
  against,
})
for (const peer of await remotes()) {
  const why = 'why' in peer ? peer.why : peer.call
  if (typeof why === 'string') cannot({ what, where: across, by: peer.by }, why)
  else pingPong(across, peer.by, why, { against })
}
pingPong(within, undefined, turnWith(await system.spawn({ module, export: 'echo' }, undefined, { thread: 'main' })), {
  against,
})
for (const peer of await actors()) {
  if ('why' in peer) {
    cannot({ what, where: within, by: peer.by }, peer.why)
    continue
  }
  let back = (_value: number) => {}
  const ping = await peer.spawn((value) => back(value))
  const pong = await peer.spawn((value) => void peer.send(ping, value))
  const turn = (value: number) =>
    new Promise<number>((resolve) => {
      back = resolve
      peer.send(pong, value)
    })
  pingPong(within, peer.by, turn, { against })
}

await runBench('ping-pong')
process.exit()
