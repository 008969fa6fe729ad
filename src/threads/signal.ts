import type { LinkEnd } from './link.js'
import type { Payload } from './payload.js'
import type { RawPid, RawRef } from './pid.js'
import type { Wire } from './wire.js'

/**
 * Everything that ever crosses from one thread to another: this closed union. A link carries signals in the order in
 * which they were sent, whatever their kind.
 */
export type Signal = ProcessSignal | SpawnSignal | ReplySignal | ThreadSignal | Wire

/** From one process to another. */
export type ProcessSignal =
  /** A message for the mailbox; `cast` marks a server's request that wants no reply. */
  | {
      readonly kind: 'message'
      readonly to: RawPid
      readonly body: Payload
      readonly cast: boolean
      /** The alias it is sent to, which must be active. */
      readonly alias?: number | undefined
    }
  /** A request that waits for a `reply` with the same reference. */
  | {
      /** `system`: the request is one of the system's own. */
      readonly kind: 'call' | 'system'
      readonly to: RawPid
      readonly from: RawPid
      readonly ref: RawRef
      readonly body: Payload
    }
  /** The caller no longer waits. */
  | { readonly kind: 'forget'; readonly to: RawPid; readonly ref: RawRef }
  /** `linked`: the sender died and was linked; otherwise somebody asked for the exit. */
  | {
      readonly kind: 'exit'
      readonly to: RawPid
      readonly from: RawPid
      readonly reason: Payload
      readonly linked: boolean
    }
  | { readonly kind: 'link'; readonly to: RawPid; readonly from: RawPid }
  | { readonly kind: 'unlink'; readonly to: RawPid; readonly from: RawPid; readonly ref: RawRef }
  /** The unlink has arrived: no `link` that its sender has not seen yet is on its way any more. */
  | { readonly kind: 'unlinked'; readonly to: RawPid; readonly from: RawPid; readonly ref: RawRef }
  | { readonly kind: 'monitor'; readonly to: RawPid; readonly from: RawPid; readonly ref: RawRef }
  | { readonly kind: 'demonitor'; readonly to: RawPid; readonly ref: RawRef }
  | {
      readonly kind: 'down'
      readonly to: RawPid
      readonly from: RawPid
      readonly ref: RawRef
      readonly reason: Payload
    }

/** The birth of a process on another thread. Links and monitors are made with it, so that an instant death is seen. */
export type SpawnSignal =
  | {
      readonly kind: 'spawn'
      readonly ref: RawRef
      readonly parent: RawPid
      readonly module: string
      readonly export: string
      /** Whether main is to open a thread for it. */
      readonly isolated: boolean
      readonly args: Payload
      readonly options: Payload
    }
  /** The process is given up: it took too long to be ready. To main for one that is `isolated`. */
  | { readonly kind: 'cancel'; readonly ref: RawRef; readonly isolated: boolean }
  /** From main: the isolated thread for your spawn is this one. */
  | { readonly kind: 'opened'; readonly ref: RawRef; readonly thread: number }
  /** The process exists; its links and monitors hold. A `reply` with the same reference follows once it is ready. */
  | { readonly kind: 'spawned'; readonly ref: RawRef; readonly pid: RawPid }

/** The answer to a `call`, a `spawn` that failed, or a request to another thread's host. */
export type ReplySignal = {
  readonly kind: 'reply'
  readonly ref: RawRef
  /** `value`: the answer; `error`: a refusal; `exit`: the callee died, the body is its exit reason. */
  readonly outcome: 'value' | 'error' | 'exit'
  readonly body: Payload
}

/** Between the hosts of two threads, about threads. */
export type ThreadSignal =
  /** To main: the thread runs; `pid` is the resident of an isolated one. */
  | { readonly kind: 'ready'; readonly pid: RawPid | undefined }
  /** From main, to a thread that waits for a place: this is yours. */
  | { readonly kind: 'seat'; readonly place: number }
  /** To main, from a system thread: it runs processes that are made of these. */
  | { readonly kind: 'runs'; readonly modules: readonly string[] }
  /** From main, to a thread without a process: load these. */
  | { readonly kind: 'preload'; readonly modules: readonly string[] }
  /** To main: they are loaded, or cannot be. */
  | { readonly kind: 'loaded' }
  /** To main: I need a link to `thread`. */
  | { readonly kind: 'dial'; readonly thread: number }
  /** From main: here is your end of the link to `thread`. */
  | { readonly kind: 'connect'; readonly thread: number; readonly end: LinkEnd }
  /**
   * From main: `thread` is gone. Of those that lived until then, the generations by slot, these died of `reason`, all others
   * of `others`.
   */
  | {
      readonly kind: 'thread-down'
      readonly thread: number
      readonly living: ReadonlyMap<number, number>
      readonly pids: readonly RawPid[]
      readonly reason: Payload
      readonly others: Payload
    }
  /** To main: `pid` was told to die; end its thread if it does not obey. */
  | { readonly kind: 'suspect'; readonly pid: RawPid }
  /** To main: the resident of this isolated thread has ended; end the thread, as nobody else may have it. */
  | { readonly kind: 'done' }
  /** To main: the thread is about to die of an uncaught error. */
  | { readonly kind: 'last-words'; readonly error: Payload }
  /** To main: give `pid` this name. */
  | { readonly kind: 'claim'; readonly ref: RawRef; readonly name: string; readonly pid: RawPid }
  /** To a host: tell me about `pid`. */
  | { readonly kind: 'inspect'; readonly ref: RawRef; readonly pid: RawPid }
  /** To a thread that listens: nobody took this message. */
  | { readonly kind: 'dead-letter'; readonly to: RawPid; readonly body: Payload }
  /** From main: stop every process, then end the thread. To main: stop the system. */
  | { readonly kind: 'stop'; readonly timeout: number }
