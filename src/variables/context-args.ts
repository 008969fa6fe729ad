import type { Placement } from '../actors/spawner.js'
import type { Retention } from './local-state.js'
import type { SessionState } from './session-state.js'
import type { Home } from './upstream.js'

/** What a context is made with. */
export interface ContextArgs {
  /** What its system knows it by. */
  readonly id: string
  /** What it is called: its id, unless that is also what others are called. */
  readonly session: string
  readonly retention: Retention
  /** Where the modules of each namespace are. */
  readonly modules: Readonly<Record<string, string>>
  /** How it is started again when its thread has died; undefined when a supervisor does that. */
  readonly start: { readonly thread: Exclude<Placement, 'isolated'>; readonly names: readonly string[] } | undefined
  /** Whether it was there before. */
  readonly again: boolean
  /** Where its state lives, when that is behind a bridge. */
  readonly home?: Home
  /** What it begins with. */
  readonly state?: SessionState
}
