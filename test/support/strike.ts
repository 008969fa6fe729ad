import type { ActorSystem } from '../../src/actors/system.js'
import { bomb } from '../fixtures/survivors.js'
import { eventually } from '../harness.js'

const module = new URL('../fixtures/survivors.js', import.meta.url)

/** Ends the thread of the contexts; resolves when another has taken its place. */
export async function strike(system: ActorSystem, how = 'throw in a timer'): Promise<void> {
  const self = system.self
  const [thread] = system.threads().filter(({ kind }) => kind === 'system')
  await self.spawn({ module, export: bomb.name }, how, { thread: 'system' }).catch(() => {})
  await eventually(() => system.threads().every(({ id }) => id !== thread?.id))
}
