// All children of a supervisor crash at once, or are killed, and are there again.
import { ActorSystem, DynamicSupervisor, type Pid, type Placement } from '../src/index.js'
import { type Arm, cannot, expect, throughput } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { actors, remotes } from './peers/index.js'
import { rawWorker } from './peers/raw.js'

const CHILDREN = quick ? 20 : 200
/** Each of those has a thread. */
const ISOLATED = 4
const crash = 'crash storm, for each restart'
const kill = 'kill storm, for each restart'
const module = new URL('./processes/mortals.js', import.meta.url)

const system = await ActorSystem.start({ threads: 1 })
const { self } = system
const supervisor = await DynamicSupervisor.start(system, { maxRestarts: Number.POSITIVE_INFINITY })

/** The children as they live now. */
async function born(count: number): Promise<Pid[]> {
  const pids: Pid[] = []
  while (pids.length < count) pids.push(await self.receive<Pid>())
  return pids
}

async function storm(where: string, thread: Placement, size: number, against?: Arm): Promise<void> {
  const start = { entry: { module, export: 'phoenix' }, args: self.pid, options: { thread } } as const
  for (let i = 0; i < size; i++) await supervisor.startChild({ start })
  let living = await born(size)
  for (const [what, die] of [
    [crash, (pid: Pid) => self.send(pid, 'crash')],
    [kill, (pid: Pid) => self.exit(pid, 'kill')],
  ] as const) {
    throughput(
      { what, where },
      size,
      async (watch) => {
        watch.start()
        for (const pid of living) die(pid)
        const next = await born(size)
        watch.stop()
        for (const pid of living) expect('a dead one lives', system.isAlive(pid), false)
        for (const pid of next) expect('a new one lives', system.isAlive(pid), true)
        living = next
      },
      against && { against },
    )
  }
}

const isolated = 'on threads of their own'
let workers = await Promise.all(Array.from({ length: ISOLATED }, () => rawWorker('')))
const again = throughput({ what: kill, where: isolated, by: 'raw Worker' }, ISOLATED, async (watch) => {
  watch.start()
  await Promise.all(workers.map((worker) => worker.terminate()))
  workers = await Promise.all(workers.map(() => rawWorker('')))
  watch.stop()
  expect('workers', workers.length, ISOLATED)
})
await storm('within a thread', 'main', CHILDREN)
await storm('on another thread', 0, CHILDREN)
await storm(isolated, 'isolated', ISOLATED, again)
for (const peer of [...(await remotes()), ...(await actors())]) {
  if (peer.by !== 'comedy') cannot({ what: crash, by: peer.by }, 'why' in peer ? peer.why : 'it has no supervisors')
}
cannot({ what: crash, by: 'comedy' }, 'it brings back only what crashes with its thread or its process')

await runBench('storms')
process.exit()
