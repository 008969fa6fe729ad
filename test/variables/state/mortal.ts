import type { StateMemory } from '../../../src/variables/state-store.js'

/** What ends a writer of the test in the middle of its work. */
class Death extends Error {}

const operations = ['store', 'add'] as const

/** The buffers that are written. */
const buffersOf = ({ table, definitions, log }: StateMemory): SharedArrayBuffer[] => [
  table.index.buffer,
  table.data,
  definitions.index.buffer,
  definitions.data,
  log.head,
  ...log.halves,
]

const words = (buffer: SharedArrayBuffer) => new Int32Array(buffer, 0, buffer.byteLength >>> 2)

/**
 * Runs `work` and lets it die at its nth atomic access, before that takes effect; answers whether it got so far. The plain
 * writes since the access before may have reached memory or not: `lost` says of each, in turn, whether it did not.
 */
export async function dyingAt(
  nth: number,
  lost: () => boolean,
  memory: StateMemory,
  work: () => unknown,
): Promise<boolean> {
  let count = 0
  const copies = () => buffersOf(memory).map((buffer) => words(buffer).slice())
  let before = copies()
  const step = () => {
    count++
    if (count === nth) before = copies()
    if (count <= nth) return
    if (count === nth + 1) forget(memory, before, lost)
    throw new Death()
  }
  await guarded(step, work)
  return count > nth
}

async function guarded(step: () => void, work: () => unknown): Promise<void> {
  const kept = operations.map((name) => Atomics[name])
  operations.forEach((name, at) => {
    Atomics[name] = ((...args: Parameters<typeof Atomics.store>) => {
      step()
      return (kept[at] as typeof Atomics.store)(...args)
    }) as typeof Atomics.store
  })
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Death)) throw error
  } finally {
    operations.forEach((name, at) => {
      Atomics[name] = kept[at] as typeof Atomics.store
    })
  }
}

function forget(memory: StateMemory, before: readonly Int32Array[], lost: () => boolean): void {
  buffersOf(memory).forEach((buffer, at) => {
    const now = words(buffer)
    const then = before[at] as Int32Array
    for (let word = 0; word < now.length; word++)
      if (now[word] !== (then[word] ?? 0) && lost()) now[word] = then[word] ?? 0
  })
}
