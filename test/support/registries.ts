import { Registry, type RegistryOptions } from '../../src/actors/registry/registry.js'
import type { BeamlineError } from '../../src/errors.js'
import { errorOf } from '../fixtures/puppet.js'
import type { Puppet, Stage } from './stage.js'

/** A registry of unique keys, unless told otherwise, that ends with the test. */
export function registryOf<V>(stage: Stage, options: Partial<RegistryOptions> = {}): Promise<Registry<V>> {
  return Registry.start<V>(stage.self, { keys: 'unique', link: true, ...options })
}

/** Lets a puppet ask the registry by a handle of its own. */
export function by<T = unknown>(puppet: Puppet, { pid }: Registry, method: string, ...args: unknown[]): Promise<T> {
  return puppet.do<T>('registry', pid, method, ...args)
}

/** The refusal of that. */
export async function refused(
  { pid }: Registry,
  puppet: Puppet,
  method: string,
  ...args: unknown[]
): Promise<BeamlineError> {
  return errorOf(await puppet.do('try', { move: 'registry', args: [pid, method, ...args] }))
}
