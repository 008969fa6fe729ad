// What a system costs that is there and has nothing to do.
import { setTimeout } from 'node:timers/promises'
import { ActorSystem, Context, type Variable } from '../src/index.js'
import { amount, expect } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'

const SECONDS = quick ? 0.5 : 5

const system = await ActorSystem.start({ threads: 2 })
const context = await Context.start(system)
const variable: Variable<number> = await context.define('x', 'integer', 0)
let seen = 0
await variable.watch((_name, _previous, value) => {
  seen = value
})

amount({ what: 'processor of an idle system, of one core' }, 'percent', async () => {
  await variable.set(1)
  expect('seen', seen, 1)
  // After the last bit of work everybody may look for more for a moment.
  await setTimeout(200)
  const before = process.cpuUsage()
  const started = performance.now()
  await setTimeout(1000 * SECONDS)
  const { user, system: kernel } = process.cpuUsage(before)
  return (100 * (user + kernel)) / (1000 * (performance.now() - started))
})

await runBench('idle')
process.exit()
