// Lets everything happen between a server and its clients that may, for minutes, and judges what they were told:
//   npm run soak:bridge -- [--minutes N] [--seed N] [--watches N]
import { parseArgs } from 'node:util'
import { ActorSystem } from '../src/index.js'
import { SeededRandom } from '../src/testing/seeded-random.js'
import { Storm } from '../test/faults/support/storm.js'
import { trendOf } from './trend.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    watches: { type: 'string', default: '100' },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes > 0 && Number.isInteger(seed))) throw new Error('give --minutes above 0, and a whole number as --seed')

/** Growth of memory that is taken for a leak, in MB a minute. */
const GROWTH = 3
const ROUND = 8000
console.log(`seed ${seed}, ${minutes} minutes`)

const system = await ActorSystem.start({ threads: 1 })
const counts = new Map<string, number>()
const storm = await Storm.open(system, {
  random: new SeededRandom(seed),
  clients: 4,
  watches: Number(values.watches),
  variables: 40,
  onFault: (fault) => {
    const [kind = ''] = fault.split(' ')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  },
})
const start = performance.now()
const elapsed = () => (performance.now() - start) / 60_000
const samples: { minutes: number; value: number }[] = []
let failure: unknown
for (let round = 1; elapsed() < minutes; round++) {
  const [writes, told] = [storm.writes, storm.told]
  const begun = performance.now()
  // A log that is never lost shows more; a server that is killed is what happens.
  const kills = round % 4 !== 0
  try {
    await storm.round(ROUND, kills)
  } catch (error) {
    failure = error
    break
  }
  const seconds = (performance.now() - begun) / 1000
  globalThis.gc?.()
  const rss = process.memoryUsage.rss() / 2 ** 20
  samples.push({ minutes: elapsed(), value: rss })
  const rate = (count: number) => Math.round(count / seconds)
  console.log(
    `${elapsed().toFixed(1)} min${kills ? ', kills' : ''}: ${rate(storm.writes - writes)} writes/s, ${rate(storm.told - told)} told/s, RSS ${rss.toFixed(0)} MB, server ${((await storm.server.memory()) / 2 ** 20).toFixed(0)} MB`,
  )
}
await storm[Symbol.asyncDispose]()
await system.stop()

console.log([...counts].map(([kind, count]) => `${kind} ${count}`).join(', '))
console.log(`${storm.writes} writes, ${storm.told} changes told`)
if (failure !== undefined) console.error(`FAULT by --seed ${seed}: ${(failure as Error).message}`)
const warm = samples.slice(Math.floor(samples.length / 3))
const trend = warm.length > 3 ? trendOf(warm) : { perMinute: 0, error: 0 }
const leaks = trend.perMinute > GROWTH && trend.perMinute > 2 * trend.error
console.log(`memory: ${trend.perMinute.toFixed(2)} ± ${trend.error.toFixed(2)} MB a minute`)
if (leaks) console.error('LEAK')
process.exitCode = failure !== undefined || leaks ? 1 : 0
