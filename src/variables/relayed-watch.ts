import type { BeamlineError } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Change } from './change.js'
import type { Delivery } from './delivery.js'
import type { Subject } from './subjects.js'

/** A watch as its thread's relay sees it. */
export interface RelayedWatch {
  readonly ref: Ref
  readonly owner: Pid
  /** Whether the owner is a shell, whose code runs on when its process has ended, and must hear that the watch is over. */
  readonly isShell: boolean
  /** The context, whose end ends the watch; undefined for an observer that was added by hand. */
  readonly context: Pid | undefined
  readonly delivery: Delivery
  /** Another observer manager knows the watch now. */
  moved(manager: Pid): void
  /** The watch is over: as nothing can come any more (no error), or for a reason its owner should hear. */
  ended(error?: BeamlineError): void
}

/** A watch, and what is known of it. */
export interface Entry {
  readonly watch: RelayedWatch
  /** The process that is its context at present. */
  context: Pid | undefined
  /** The observer manager that knows it, once it has begun; none while its context is being started again. */
  manager?: Pid | undefined
  /** The last revision of which it has been told all, once it has begun. */
  seen?: number
  /** The variables it watches, once it has begun: those that are there yet. */
  readonly subjects: Set<Subject>
}

/**
 * Whether a watch is to be told. One that waits for its context's next process is not: the log will tell it. One that
 * has begun there may yet meet last words of the process before. What is notified by hand has no revision.
 */
export function isNews({ manager, seen = 0 }: Entry, revision: number): boolean {
  return manager !== undefined && (revision === 0 || revision > seen)
}

/** No watch may harm another, nor the relay they share. */
export function offer(watch: RelayedWatch, change: Change): void {
  try {
    watch.delivery.offer(change)
  } catch (error) {
    watch.delivery.report(error)
  }
}
