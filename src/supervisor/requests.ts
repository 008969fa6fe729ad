import type { ExitReason } from '../actors/exit-reason.js'
import type { Pid } from '../threads/pid.js'
import type { Recipe } from './recipe.js'
import type { Restart } from './strategy.js'

/** A recipe as a call carries it: itself, or the ticket by which the supervisor's thread keeps it. */
export type RecipeParcel = { readonly recipe: Recipe } | { readonly ticket: number }

/** What a supervisor is asked, by calls. */
export type SupervisorRequest =
  /** Answered once the children of the first list run. */
  | { readonly kind: 'begin' | 'which' | 'count' }
  | { readonly kind: 'start'; readonly parcel: RecipeParcel }
  | { readonly kind: 'terminate' | 'restart' | 'delete'; readonly child: string | Pid }
  | { readonly kind: 'stop'; readonly reason: ExitReason }

/** A child as `whichChildren` tells of it. */
export interface ChildInfo {
  /** Undefined for a child of a dynamic supervisor that was given none. */
  readonly id: string | undefined
  /** Undefined when it does not run, by its own wish or after `terminateChild`. */
  readonly pid: Pid | undefined | 'restarting'
  readonly type: 'worker' | 'supervisor'
  readonly restart: Restart
  readonly significant: boolean
}

/** What `countChildren` tells. */
export interface ChildCounts {
  /** Child specifications, whether they run or not. */
  readonly specs: number
  /** Children that run. */
  readonly active: number
  /** Specifications of supervisors. */
  readonly supervisors: number
  readonly workers: number
}
