// How the cost of a variable grows with those that its context has.
import { ActorSystem, Context, type Variable } from '../src/index.js'
import { amount, brief, expect, throughput } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'

const SIZES = quick ? [1, 100] : [1, 100, 10_000, 100_000]
const SOME = quick ? 100 : 1000
const where = 'across two threads'

const system = await ActorSystem.start({ threads: 1 })

/** Bytes of this program's memory, that of all its threads. */
const resident = () => {
  globalThis.gc?.()
  return process.memoryUsage().rss
}

for (const size of SIZES) {
  const context = await Context.start(system)
  const before = resident()
  const started = process.hrtime.bigint()
  const variables: Variable<number>[] = []
  while (variables.length < size) {
    const names = Array.from({ length: Math.min(1000, size - variables.length) }, (_, i) => `x_${variables.length + i}`)
    variables.push(...(await Promise.all(names.map((name) => context.define(name, 'float', 0)))))
  }
  const took = Number(process.hrtime.bigint() - started)
  // Of few it would tell the size of pages, and the time of the first one.
  if (size >= 1000 || quick) {
    const grown = resident() - before
    amount({ what: 'memory, for each variable', size }, 'bytes', async () => grown / size)
    amount({ what: 'define, for each variable', where, size }, 'ns', async () => took / size)
  }
  let next = 0
  /** One after another, with steps in between, so that a cache does not make it easy. */
  const some = () => {
    next = (next + 7919) % size
    return variables[next] as Variable<number>
  }
  let serial = 0
  throughput({ what: 'set, of variables in turn', where, size }, SOME, async (watch) => {
    let last: Variable<number> | undefined
    watch.start()
    for (let i = 0; i < SOME; i++) {
      last = some()
      await last.set(++serial)
    }
    watch.stop()
    expect('the last value', last?.peek(), serial)
  })
  throughput({ what: 'get, of variables in turn', where, size }, SOME, async (watch) => {
    let numbers = 0
    watch.start()
    for (let i = 0; i < SOME; i++) if (typeof (await some().get()) === 'number') numbers++
    watch.stop()
    expect('numbers', numbers, SOME)
  })
  brief({ what: 'peek, of variables in turn', where, size }, () => {
    if (typeof some().peek() !== 'number') throw new Error('peek gave no number')
  })
}

await runBench('variables')
process.exit()
