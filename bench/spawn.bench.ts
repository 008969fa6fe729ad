// How long processes take to begin, and to be known to have ended.
import { ActorSystem, isDown } from '../src/index.js'
import { cannot, expect, throughput } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { actors } from './peers/index.js'

const MANY = quick ? 100 : 1000
const [within, across] = ['within a thread', 'on another thread']
const spawn = 'spawn, and its end'
const hello = 'spawn to first message'

const system = await ActorSystem.start({ threads: 1 })
const { self } = system

throughput({ what: spawn, where: within }, MANY, async (watch) => {
  let ran = 0
  watch.start()
  for (let i = 0; i < MANY; i++) await system.spawn(() => void ran++)
  watch.stop()
  expect('processes that ran', ran, MANY)
})
const module = new URL('./processes/mortals.js', import.meta.url)
for (const [where, thread] of [
  [within, 'main'],
  [across, 0],
] as const) {
  throughput({ what: hello, where }, MANY, async (watch) => {
    let heard = 0
    watch.start()
    for (let i = 0; i < MANY; i++) {
      await system.spawn({ module, export: 'greeter' }, self.pid, { thread })
      if ((await self.receive()) === 'hello') heard++
    }
    watch.stop()
    expect('heard', heard, MANY)
  })
  throughput({ what: 'spawn with a monitor, to its DOWN', where }, MANY, async (watch) => {
    let normal = 0
    watch.start()
    for (let i = 0; i < MANY; i++) {
      await system.spawn({ module, export: 'greeter' }, self.pid, { thread, monitor: true })
      await self.receive()
      const down = await self.receive(isDown)
      if (down.reason === 'normal') normal++
    }
    watch.stop()
    expect('normal ends', normal, MANY)
  })
}
for (const [where, thread] of [
  [within, 'main'],
  [across, 0],
] as const) {
  const talkers = new URL('./processes/talkers.js', import.meta.url)
  const pid = await system.spawn({ module: talkers, export: 'sleeper' }, undefined, { thread })
  throughput({ what: 'monitor and demonitor', where }, MANY, async (watch) => {
    watch.start()
    for (let i = 0; i < MANY; i++) self.demonitor(self.monitor(pid), { flush: true })
    watch.stop()
    expect('alive', system.isAlive(pid), true)
  })
}
for (const peer of await actors()) {
  const topic = { where: within, by: peer.by }
  if ('why' in peer) cannot({ what: hello, ...topic }, peer.why)
  else {
    throughput({ what: hello, ...topic }, MANY, async (watch) => {
      let heard = 0
      watch.start()
      for (let i = 0; i < MANY; i++) {
        const actor = await peer.spawn((_value, reply) => reply('hello'))
        if ((await peer.ask(actor, 1)) === 'hello') heard++
        await peer.end(actor)
      }
      watch.stop()
      expect('heard', heard, MANY)
    })
  }
  cannot({ what: 'spawn with a monitor, to its DOWN', ...topic }, 'why' in peer ? peer.why : 'it has no monitors')
}

await runBench('spawn')
process.exit()
