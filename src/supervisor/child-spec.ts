import type { BehaviourFn, ProcessFn } from '../actors/behaviour.js'
import type { Entry } from '../actors/entry.js'
import type { ServerClass } from '../actors/server.js'
import type { SpawnOptions } from '../actors/spawner.js'
import type { DynamicSupervisorOptions, SupervisorOptions } from './options.js'
import type { Restart } from './strategy.js'

/** Of the options of a spawn, those a child may have: links and monitors are its supervisor's affair. */
export type ChildSpawnOptions = Omit<SpawnOptions, 'link' | 'monitor'>

/** How a child is started, and started again: always with the same arguments. */
export type ChildStart =
  | { readonly server: ServerClass; readonly args?: unknown; readonly options?: ChildSpawnOptions }
  | {
      readonly entry: Entry | ProcessFn<never> | BehaviourFn<never>
      readonly args?: unknown
      readonly options?: ChildSpawnOptions
    }
  | { readonly supervisor: readonly ChildSpec[]; readonly options?: Omit<SupervisorOptions, 'link'> }
  | { readonly dynamicSupervisor: Omit<DynamicSupervisorOptions, 'link'> }

/** A child of a supervisor. Mirrors Elixir's child specification. */
export interface ChildSpec {
  /** Unique among the children of a supervisor. */
  readonly id: string
  readonly start: ChildStart
  /** When it is started again after its end; `permanent` unless told. */
  readonly restart?: Restart
  /**
   * How it is stopped: with `shutdown`, and with `kill` once so many milliseconds are over; `infinity` waits for ever;
   * `brutal_kill` kills at once. 5000 unless told, and `infinity` for a supervisor.
   */
  readonly shutdown?: number | 'infinity' | 'brutal_kill'
  /** What `countChildren` counts it as; `worker` unless told, `supervisor` for `start.supervisor`. */
  readonly type?: 'worker' | 'supervisor'
  /** Whether its end may end the supervisor, by `autoShutdown`; not for permanent children. */
  readonly significant?: boolean
}

/** A child of a dynamic supervisor, which needs no id. */
export type DynamicChildSpec = Omit<ChildSpec, 'id' | 'significant'> & { readonly id?: string }
