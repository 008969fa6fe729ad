import type { Ref } from '../threads/pid.js'
import { Pid } from '../threads/pid.js'
import type { Backoff } from './backoff.js'
import type { Stoppable } from './nursery.js'
import type { Recipe } from './recipe.js'
import type { ChildCounts, ChildInfo } from './requests.js'
import type { Restart } from './strategy.js'

/** A child as its supervisor keeps it, from its first start until its specification is dropped. */
export class Child {
  readonly recipe: Recipe
  pid: Pid | undefined | 'restarting'
  /** The pid it is found by: its present one, or that of the process whose restart is awaited. */
  key: string | undefined
  /** Of the restart that it waits for. */
  retry: Ref | undefined
  backoff: Backoff | undefined

  constructor(recipe: Recipe) {
    this.recipe = recipe
  }

  get restart(): Restart {
    return this.recipe.restart
  }

  /** When it runs: what it takes to stop it. */
  get stoppable(): Stoppable | undefined {
    return this.pid instanceof Pid ? { pid: this.pid, shutdown: this.recipe.shutdown } : undefined
  }

  get info(): ChildInfo {
    const { id, type, restart, significant } = this.recipe
    return { id, pid: this.pid, type, restart, significant }
  }
}

export function countsOf(children: readonly Child[]): ChildCounts {
  const supervisors = children.filter(({ recipe }) => recipe.type === 'supervisor').length
  return {
    specs: children.length,
    active: children.filter(({ pid }) => pid instanceof Pid).length,
    supervisors,
    workers: children.length - supervisors,
  }
}
