// Starts a thousand processes, each of which answers with its number, and waits for all of them.
import { ActorSystem } from '../src/index.js'
import { cannot, expect, throughput } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { actors, remotes } from './peers/index.js'
import { PiscinaPool } from './peers/piscina.js'

const BRANCHES = quick ? 100 : 1000
const what = `fork-join of ${BRANCHES}, for each of them`
const [within, across] = ['within a thread', 'shared out to two threads']

function forking(where: string, by: string | undefined, fork: () => Promise<number>): void {
  throughput({ what, where, ...(by && { by }) }, BRANCHES, async (watch) => {
    watch.start()
    const sum = await fork()
    watch.stop()
    expect('sum', sum, (BRANCHES * (BRANCHES + 1)) / 2)
  })
}

const numbers = Array.from({ length: BRANCHES }, (_, i) => i + 1)
const system = await ActorSystem.start({ threads: 2 })
const { self } = system
const module = new URL('./processes/talkers.js', import.meta.url)

for (const [where, thread] of [
  [across, 'auto'],
  [within, 'main'],
] as const) {
  forking(where, undefined, async () => {
    const options = { thread }
    const spawn = (index: number) => system.spawn({ module, export: 'branch' }, { parent: self.pid, index }, options)
    await Promise.all(numbers.map(spawn))
    let sum = 0
    for (let i = 0; i < BRANCHES; i++) sum += await self.receive<number>()
    return sum
  })
}
const pool = new PiscinaPool(2)
forking(across, pool.by, async () => {
  const answers = (await Promise.all(numbers.map(pool.call))) as number[]
  return answers.reduce((sum, number) => sum + number)
})
for (const peer of await remotes()) {
  const topic = { what, where: across, by: peer.by }
  if (peer.by !== pool.by) cannot(topic, 'why' in peer ? peer.why : 'it would need a thread for each')
}
for (const peer of await actors()) {
  if ('why' in peer) {
    cannot({ what, where: within, by: peer.by }, peer.why)
    continue
  }
  forking(within, peer.by, async () => {
    const branches = await Promise.all(numbers.map(() => peer.spawn((value, reply) => reply(value))))
    const answers = await Promise.all(branches.map((branch, i) => peer.ask(branch, i + 1)))
    for (const branch of branches) await peer.end(branch)
    return (answers as number[]).reduce((sum, number) => sum + number)
  })
}

await runBench('fork-join')
process.exit()
