// A token goes around a ring of a hundred processes.
import { ActorSystem, type Pid, type Placement } from '../src/index.js'
import { cannot, expect, throughput } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { actors, remotes } from './peers/index.js'

const LINKS = 100
const HOPS = LINKS * (quick ? 2 : 50)
const what = `ring of ${LINKS}, for each hop`
const [within, across] = ['within a thread', 'across two threads at each hop']

function ringing(where: string, by: string | undefined, around: (hops: number) => Promise<unknown>): void {
  throughput({ what, where, ...(by && { by }) }, HOPS, async (watch) => {
    watch.start()
    const said = await around(HOPS)
    watch.stop()
    expect('said', said, 'round')
  })
}

const system = await ActorSystem.start({ threads: 2 })
const { self } = system
const module = new URL('./processes/talkers.js', import.meta.url)

const places: [where: string, threadOf: (index: number) => Placement][] = [
  [across, (index) => index % 2],
  [within, () => 'main'],
]
for (const [where, threadOf] of places) {
  const links: Pid[] = []
  for (let i = 0; i < LINKS; i++)
    links.push(await system.spawn({ module, export: 'link' }, self.pid, { thread: threadOf(i) }))
  for (const [i, link] of links.entries()) self.send(link, links[(i + 1) % LINKS])
  ringing(where, undefined, (hops) => {
    self.send(links[0] as Pid, hops)
    return self.receive()
  })
}
for (const peer of await remotes())
  cannot(
    { what, where: across, by: peer.by },
    'why' in peer ? peer.why : 'its threads know only the one that made them',
  )
for (const peer of await actors()) {
  if ('why' in peer) {
    cannot({ what, where: within, by: peer.by }, peer.why)
    continue
  }
  let arrived = (_said: string) => {}
  const links: unknown[] = []
  for (let i = 0; i < LINKS; i++)
    links.push(
      await peer.spawn((hops) => {
        if (hops > 1) void peer.send(links[(i + 1) % LINKS], hops - 1)
        else arrived('round')
      }),
    )
  ringing(within, peer.by, (hops) => {
    const round = new Promise((resolve) => {
      arrived = resolve
    })
    void peer.send(links[0], hops)
    return round
  })
}

await runBench('ring')
process.exit()
