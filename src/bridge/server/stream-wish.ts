import type { Clock } from '../../threads/clock.js'
import { type Created, type Reason, ResumeResult } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { Mirror } from './mirror.js'
import type { Standing } from './mirror-standing.js'
import type { Needs, Outgoing } from './stream-pending.js'
import type { Wanted } from './stream-selection.js'
import type { SnapshotTurns } from './stream-snapshots.js'
import type { ServerWatch } from './stream-watch.js'

/** What a client wants of a watch. */
export interface WatchWish {
  readonly id: number
  readonly wanted: Wanted
  readonly policy: 'lossless' | 'latest' | 'sampled'
  readonly minIntervalMs: number
  readonly onGap: 'snapshot' | 'fail'
  readonly credit: number
  readonly allowMissing: boolean
  readonly resume: { readonly incarnation: string; readonly revision: number } | undefined
}

/** What a watch needs of the stream it is on. */
export interface WatchHost {
  readonly clock: Clock
  readonly turns: SnapshotTurns
  readonly maxCredit: number
  /** It has something to be sent. */
  ready(watch: ServerWatch): void
  created(watch: ServerWatch, created: Created): void
  /** Nothing more comes of it. */
  over(watch: ServerWatch, end: WatchEnd): void
}

export interface WatchEnd {
  readonly reason: Reason
  readonly detail: string
  readonly retryAfterMs?: number
}

/** What is sent of a watch at once. */
export type Piece =
  | {
      readonly kind: 'snapshot'
      readonly revision: number
      readonly variables: readonly Standing[]
      readonly last: boolean
    }
  | { readonly kind: 'batch'; readonly prev: number; readonly through: number; readonly events: readonly Outgoing[] }
  /** Nothing: the next revision, or variable, needs more than was allowed. */
  | { readonly kind: 'short'; readonly needs: Needs }

/** How a watch goes on that has seen a session up to a revision. */
export function resultOf(mirror: Mirror, resume: WatchWish['resume']): ResumeResult {
  if (resume === undefined) return ResumeResult.RESUME_RESULT_FRESH
  if (resume.incarnation !== mirror.incarnation) return ResumeResult.RESUME_RESULT_NEW_INCARNATION
  if (resume.revision > mirror.head) return ResumeResult.RESUME_RESULT_FUTURE
  if (resume.revision < mirror.compacted) return ResumeResult.RESUME_RESULT_COMPACTED
  return ResumeResult.RESUME_RESULT_RESUMED
}

/** Whether a variable that a selection names is there. */
export function isThere(mirror: Mirror, { names }: Wanted, identifier: string): boolean {
  return (names.has(identifier) ? mirror.named(identifier) : mirror.identified(identifier)) !== undefined
}
