import { ActorSystem, Context } from '../src/index.js'
import { RawPeer } from './peers.js'
import { done, latency, quick, report, throughput, timed, write } from './support.js'

const module = new URL('./processes.js', import.meta.url)
const system = await ActorSystem.start({ threads: 2 })
const { self } = system
const raw = new RawPeer()
const context = await Context.start(system, { id: 'bench' })
const variable = await context.define('x', 'integer', 0)

let serial = 0
latency('raw postMessage round trip', async () => {
  const value = ++serial
  return timed(async () => done('echo', ((await raw.echo(value)) as { echo: number }).echo, value))
})

const remote = await system.spawn({ module, export: 'echo' }, undefined, { thread: 0 })
const local = await system.spawn(async (process) => (await import('./processes.js')).echo(process))
for (const [where, pid] of [
  ['across threads', remote],
  ['within a thread', local],
] as const) {
  latency(`send and receive, there and back, ${where}`, async () => {
    const value = ++serial
    return timed(async () => {
      self.send(pid, { from: self.pid, value })
      done('echo', (await self.receive<{ value: number }>()).value, value)
    })
  })
  latency(`call, ${where}`, async () => {
    const value = ++serial
    return timed(async () => done('answer', await self.call(pid, value), value))
  })
}

let seen = 0
let calls = 0
const watch = await variable.watch((_name, _previous, value) => {
  seen = value
  calls++
})
latency('set, answered and watched on this thread', async () => {
  const value = ++serial
  return timed(async () => {
    await variable.set(value)
    done('watched', seen, value)
  })
})
latency('get', async () => timed(async () => done('value', await variable.get(), seen)))
latency('peek (1,000 of them)', async () => {
  const start = process.hrtime.bigint()
  for (let i = 0; i < 1000; i++) variable.peek()
  const took = Number(process.hrtime.bigint() - start)
  done('value', variable.peek(), seen)
  return took
})
latency('spawn within a thread', async () => timed(() => system.spawn(() => {})))
latency('spawn on another thread', async () =>
  timed(async () => {
    const pid = await system.spawn({ module, export: 'echo' }, undefined, { thread: 1 })
    self.exit(pid, 'kill')
  }),
)

const figures = await report('threads')

const count = quick ? 20_000 : 200_000
figures.push(
  await throughput('raw postMessage one way', count, async () => {
    for (let i = 0; i < count; i++) raw.tell(i)
    done('count', await raw.count(), count)
  }),
  await throughput('put to callback', count, async () => {
    calls = 0
    for (let i = 0; i < count; i++) variable.put(i)
    await variable.get()
    done('callbacks', calls, count)
  }),
)
await watch.stop()

const kills: number[] = []
for (let i = 0; i < 15; i++) {
  const pid = await system.spawn({ module, export: 'spin' }, self.pid, { thread: 'isolated', monitor: true })
  await self.receive((message) => message === 'spinning')
  kills.push(
    await timed(async () => {
      self.exit(pid, 'kill')
      const down = await self.receive<{ reason: unknown }>((message) => (message as { type?: string }).type === 'DOWN')
      done('reason', down.reason, 'killed')
    }),
  )
}
kills.sort((a, b) => a - b)
const [p50, p99] = [kills[7] as number, kills[14] as number]
const avg = kills.reduce((sum, ns) => sum + ns, 0) / kills.length
figures.push({ name: 'kill of an endless loop to DOWN', p50, p99, avg, samples: kills.length })
write('threads', figures)

await raw.stop()
await system.stop()
