import { Pid, type RawPid } from '../threads/pid.js'
import type { ThreadEnd } from '../threads/pools.js'
import { type ExitReason, reasonFrom } from './exit-reason.js'

/** Why a thread is gone, for its processes. */
export interface Verdict {
  readonly reason: ExitReason
  readonly others: ExitReason
  /** Those who die of `reason`; the resident unless told. */
  readonly pids?: readonly RawPid[]
}

/** What is known of a thread that has ended. */
interface EndedThread {
  /** The first process of an isolated thread. */
  readonly resident: RawPid | undefined
  /** The last error that no code of it caught. */
  readonly lastWords: ExitReason | undefined
}

/** What follows from how a thread ended that nobody had ended. */
export function verdictOf(end: ThreadEnd, thread: EndedThread, node: string): Verdict {
  if (end.kind === 'crashed') {
    const reason = crashReason(end.error, thread.lastWords)
    return { reason, others: reason }
  }
  const others = thread.resident === undefined ? 'shutdown' : { hostKilled: Pid.fromRaw(node, thread.resident) }
  return { reason: end.kind === 'killed' ? 'killed' : 'normal', others }
}

/** Its own words tell more of an error than what came over the worker, unless that ended for another reason. */
export function crashReason(error: Error, lastWords?: ExitReason): ExitReason {
  const code = /exited with code: (\d+)/.exec(error.message)?.[1]
  if (code !== undefined) {
    const message = `process.exit(${code}) was called in its thread`
    return { error: { name: 'ThreadExit', message, stack: '' } }
  }
  const outOfMemory = (error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY'
  return outOfMemory ? reasonFrom(error) : (lastWords ?? reasonFrom(error))
}
