import type { Entry } from './entry.js'
import type { SpawnOptions } from './spawner.js'

/** What to spawn, and how: the `start` of a supervisor's child, or the arguments of `spawn`. */
export interface Startable {
  readonly entry: Entry
  readonly args: unknown
  readonly options: SpawnOptions
}
