import { Pid, type Ref } from '../threads/pid.js'
import { copyOf, type Wire } from '../threads/wire.js'
import type { ExitReason } from './exit-reason.js'

/** Who waits for the answer to a call. Plain data: it may be sent on, and any process may answer with it. */
export interface From {
  readonly pid: Pid
  readonly ref: Ref
  /** Who was called; undefined when it was a thread's host. */
  readonly callee: Pid | undefined
}

/** A request that wants an answer: `self.reply(call.from, value)`. */
export class Call<T = unknown> {
  readonly type = 'CALL'
  readonly from: From
  readonly request: T

  constructor(from: From, request: T) {
    this.from = from
    this.request = request
  }
}

/** A request that wants no answer. */
export class Cast<T = unknown> {
  readonly type = 'CAST'
  readonly request: T

  constructor(request: T) {
    this.request = request
  }
}

/** What the system, not a user, asks of a process. */
export type SystemRequest =
  | { readonly op: 'suspend' | 'resume' | 'getState' }
  | { readonly op: 'replaceState'; readonly state: unknown }
  | { readonly op: 'stop'; readonly reason: ExitReason }
  | { readonly op: 'trace'; readonly tracer: Pid; readonly ref: Ref; readonly limit: number }

/** A request of the system's own, in the order of the mailbox. */
export class SystemCall {
  readonly from: From
  readonly request: SystemRequest

  constructor(from: From, request: SystemRequest) {
    this.from = from
    this.request = request
  }
}

/** A compact message that has to wait its turn. */
export class KeptWire {
  readonly wire: Wire
  /** Who waits for the answer, if anybody does. */
  readonly from: From | undefined

  constructor(wire: Wire, from: From | undefined) {
    this.wire = copyOf(wire)
    this.from = from
  }
}

/** Work that waits its turn in the mailbox of a thread's fence. */
export class Deferred {
  readonly run: () => void

  constructor(run: () => void) {
    this.run = run
  }
}

/** One end of a monitor: the process at the other end, and the monitor's reference. */
export interface Monitor {
  readonly pid: Pid
  readonly ref: Ref
}

/** A monitored process is gone. `pid` is the name that was monitored when nobody had it. */
export interface Down {
  readonly type: 'DOWN'
  readonly ref: Ref
  readonly pid: Pid | string
  readonly reason: ExitReason
}

/** A linked process is gone, or somebody asked this one to exit; only a process that traps exits sees it. */
export interface ExitMessage {
  readonly type: 'EXIT'
  readonly pid: Pid
  readonly reason: ExitReason
}

export function isDown(message: unknown): message is Down {
  return hasType(message, 'DOWN') && 'ref' in message
}

export function isExit(message: unknown): message is ExitMessage {
  return hasType(message, 'EXIT') && (message as { pid?: unknown }).pid instanceof Pid
}

function hasType(message: unknown, type: string): message is object {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === type
}

export const isSystemCall = (message: unknown): boolean => message instanceof SystemCall

/** Whether a full mailbox may lose a message. */
export function isDroppable(message: unknown): boolean {
  return !(
    message instanceof Call ||
    message instanceof SystemCall ||
    hasType(message, 'DOWN') ||
    hasType(message, 'EXIT')
  )
}
