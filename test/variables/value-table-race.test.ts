import { once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { Worker } from 'node:worker_threads'
import { ValueTable, type ValueTableMemory } from '../../src/variables/value-table.js'
import { assert, suite } from '../harness.js'
import { nameFor, names, valueAt } from './self-checking.js'

const test = suite('ValueTable beside a racing writer', { timeout: 30_000 })

async function withWriter(
  use: (table: ValueTable, kill: () => Promise<unknown>) => void | Promise<void>,
): Promise<void> {
  const worker = new Worker(new URL('./value-table-writer.js', import.meta.url))
  try {
    const [memory] = (await once(worker, 'message')) as [ValueTableMemory]
    await use(ValueTable.attach(memory), () => worker.terminate())
  } finally {
    await worker.terminate()
  }
}

/** Reads one variable of the racing writer and says which write it saw; throws when the value is not that write's. */
function checked(table: ValueTable, name: string): number | undefined {
  const found = table.read(name)
  if (found === undefined) return undefined
  assert.is(nameFor(found.version), name, `${name} shows version ${found.version}`)
  const whole = isDeepStrictEqual(found.value, valueAt(found.version))
  assert.is(whole, true, `${name} at ${found.version} is torn`)
  return found.version
}

test('a reader sees whole values of the right variable, never an older one', () =>
  withWriter((table) => {
    const latest = new Map<string, number>()
    const seen = new Map<string, number>()
    const enough = () => names.every((name) => (seen.get(name) ?? 0) > 100)
    // However slow the machine: until enough was seen, and no longer than the test may take.
    for (const end = performance.now() + 15_000; !enough() && performance.now() < end; ) {
      for (const name of names) {
        const version = checked(table, name)
        if (version === undefined) {
          assert.is(name, names[names.length - 1], `${name} is missing`)
          continue
        }
        const before = latest.get(name) ?? -1
        assert.is(version >= before, true, `${name} went back from ${before} to ${version}`)
        if (version > before) seen.set(name, (seen.get(name) ?? 0) + 1)
        latest.set(name, version)
      }
    }
    for (const name of names) assert.is((seen.get(name) ?? 0) > 100, true, `${name}: ${seen.get(name)} changes seen`)
  }))

test('after a writer was terminated at any moment every variable reads whole', async () => {
  for (let round = 0; round < 20; round++) {
    await withWriter(async (table, kill) => {
      const moment = performance.now() + Math.random() * 10
      while (performance.now() < moment);
      const before = names.map((name) => checked(table, name) ?? -1)
      await kill()
      names.forEach((name, i) => {
        const version = checked(table, name)
        if (version === undefined) assert.is(name, names[names.length - 1])
        else assert.is(version >= (before[i] as number), true)
      })
    })
  }
})

test.run()
