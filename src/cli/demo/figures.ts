import { cpus } from 'node:os'
import { type ActorSystem, Context, type Process } from '../../index.js'
import { type LoadLevel, loadLevels } from './load-level.js'

/** What is measured in one moment; it goes into the context in one revision. */
export interface Sample {
  /** Percent of all cores, since the sample before. */
  readonly cpu: number
  /** Percent of each core, over the last half second. */
  readonly cores: readonly number[]
  /** Average number of running or waiting tasks in the last minute. */
  readonly load: number
  /** Percent in use. */
  readonly memory: number
  /** Bytes a second. */
  readonly net_in: number
  readonly net_out: number
  /** The sampler's own event loop, in milliseconds. */
  readonly loop_delay: number
}

/** The variables of the demo: names and types, once for all its processes. */
export type Figures = { -readonly [K in keyof Sample]: Sample[K] } & {
  /** `cpu`, smoothed by the module that `smoothing` names. */
  cpu_smooth: number
  smoothing: string
  load_level: LoadLevel
  /** Whether one core is nearly all busy. */
  alert: boolean
  /** Notifications that the auditor had counted when it last looked. */
  audited: number
}

/** Modules in `./strategies`, as values of the variable `smoothing`. */
export const strategies = ['Strategies.MovingAverage', 'Strategies.Exponential', 'Strategies.None'] as const

const id = 'machine'

/** Starts the demo's context and defines its variables. */
export async function defineFigures(system: ActorSystem): Promise<Context<Figures>> {
  const modules = { Strategies: new URL('./strategies/', import.meta.url) }
  const figures = await Context.start<Figures>(system, { id, modules })
  const percent = { constraints: { min: 0, max: 100, finite: true } }
  const atLeast0 = { constraints: { min: 0, finite: true } }
  await figures.define('cpu', 'float', 0, percent)
  const idleCores = cpus().map(() => 0)
  await figures.define('cores', 'embedding', idleCores, { constraints: { finite: true } })
  await figures.define('load', 'float', 0, atLeast0)
  await figures.define('memory', 'float', 0, percent)
  await figures.define('net_in', 'float', 0, atLeast0)
  await figures.define('net_out', 'float', 0, atLeast0)
  await figures.define('loop_delay', 'float', 0, atLeast0)
  await figures.define('cpu_smooth', 'float', 0, percent)
  await figures.define('smoothing', 'module', strategies[0], { constraints: { choices: strategies } })
  await figures.define('load_level', 'choice', 'idle', { constraints: { choices: loadLevels } })
  await figures.define('alert', 'boolean', false)
  await figures.define('audited', 'integer', 0, { constraints: { min: 0 } })
  return figures
}

/** A handle to the demo's context for a process: its watches end with the process. */
export function attachFigures(self: Process): Context<Figures> {
  return Context.attach<Figures>(self, id)
}
