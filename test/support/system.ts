import { ActorSystem, type SystemOptions } from '../../src/actors/system.js'
import type { suite } from '../harness.js'

/** Runs `body` with a system of its own, which is stopped whatever happens. */
export async function withSystem<T>(options: SystemOptions, body: (system: ActorSystem) => Promise<T>): Promise<T> {
  await using system = await ActorSystem.start(options)
  return await body(system)
}

/** One system for all tests of a suite: started before the first, stopped after the last. */
export function systemFor(test: ReturnType<typeof suite>, options: SystemOptions = {}): () => ActorSystem {
  let system: ActorSystem | undefined
  test.before(async () => {
    system = await ActorSystem.start(options)
  })
  test.after(() => system?.stop())
  return () => {
    if (system === undefined) throw new Error('the system starts with the first test')
    return system
  }
}
