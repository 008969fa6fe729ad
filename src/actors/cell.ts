import { BeamlineError } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import { type Behaviour, type BehaviourFn, isBehaviourFn, type ProcessFn } from './behaviour.js'
import { describe, type ExitReason, errorFrom, reasonFrom } from './exit-reason.js'
import type { Host } from './host.js'
import { LazyMap } from './lazy-map.js'
import { Mailbox, type MailboxLimit } from './mailbox.js'
import { Call, type From } from './messages.js'
import type { NameClaim } from './names.js'
import { Process } from './process.js'
import type { Runnable } from './scheduler.js'
import { Waiters } from './waiters.js'

/** One end of a monitor: the process at the other end, and the monitor's reference. */
export interface Monitor {
  readonly pid: Pid
  readonly ref: Ref
}

/** How a process came to be. */
export interface Birth {
  readonly parent: Pid | undefined
  /** Module and export, or the closure's name; shown by `info`. */
  readonly label: string
  readonly limit: MailboxLimit | undefined
  /** Whether its code is the program's own and runs on when the process has ended. */
  readonly shell?: boolean
  /** That of the shell whose place this one takes. */
  readonly process?: Process | undefined
}

/** The inside of one process: what its `Process` hides. Lives on one thread and is touched by no other. */
export class Cell implements Runnable {
  readonly pid: Pid
  readonly birth: Birth
  readonly process: Process
  readonly mailbox = new Mailbox()
  readonly waiters: Waiters
  alive = true
  trapExit = false
  /** Messages taken so far. */
  handled = 0
  readonly links = new LazyMap<Pid>()
  /** What this process monitors, by reference. */
  readonly monitors = new LazyMap<Monitor>()
  /** Who monitors this process, by reference. */
  readonly watchers = new LazyMap<Monitor>()
  /** Calls taken or waiting here that nobody has answered, by reference. */
  readonly unanswered = new LazyMap<From>()
  readonly names: { readonly name: string; readonly claim: NameClaim }[] = []
  /** Hears the exit reason, once. */
  onExit: ((reason: ExitReason) => void) | undefined
  readonly #host: Host
  #behaviour: Behaviour | undefined
  #busy = true
  #queued = false

  constructor(host: Host, pid: Pid, birth: Birth) {
    this.#host = host
    this.pid = pid
    this.birth = birth
    this.waiters = new Waiters(this.mailbox)
    this.process = birth.process === undefined ? new Process(host, this) : Process.revive(birth.process, this)
  }

  /** Runs the process function; the promise settles when the process is ready: for a behaviour, once it is made. */
  async run(body: ProcessFn | BehaviourFn, args: unknown): Promise<void> {
    if (isBehaviourFn(body)) return this.#become(body, args)
    queueMicrotask(() => void this.#live(body, args))
  }

  async #live(body: ProcessFn, args: unknown): Promise<void> {
    if (!this.alive) return
    this.#host.running(this)
    try {
      await body(this.process, args)
      this.exit('normal')
    } catch (thrown) {
      this.exit(reasonFrom(thrown))
    }
  }

  async #become(make: BehaviourFn, args: unknown): Promise<void> {
    if (!this.alive) return
    try {
      this.#behaviour = await make(this.process, args)
      this.#busy = false
      this.schedule()
    } catch (thrown) {
      this.exit(reasonFrom(thrown))
    }
  }

  /** A message, call or cast for the mailbox; `forced` ones (signals turned into messages) ignore its limit. */
  deliver(message: unknown, forced = false): void {
    const limit = this.birth.limit
    if (limit !== undefined && !forced && this.mailbox.length >= limit.limit && !this.#makeRoom(message, limit)) return
    this.mailbox.push(message)
    this.schedule()
  }

  #makeRoom(message: unknown, { limit, overflow }: MailboxLimit): boolean {
    if (overflow === 'exit') {
      const text = `the mailbox of ${this.birth.label} is full (${limit} messages)`
      this.exit({ error: { name: 'BeamlineError', message: text, stack: '', code: 'MAILBOX_FULL' } })
      return false
    }
    const mayStay = overflow === 'drop-oldest' && !(message instanceof Call)
    const oldest = mayStay ? this.mailbox.take(isDroppable, 0) : undefined
    this.#host.dropped(this, oldest === undefined ? message : oldest.message)
    this.waiters.rescan()
    return oldest !== undefined
  }

  schedule(): void {
    if (this.#queued || !this.alive || this.mailbox.length === 0) return
    this.#queued = true
    this.#host.scheduler.enqueue(this)
  }

  runOnce(): boolean {
    this.#queued = false
    if (!this.alive) return false
    const { batch } = this.#host
    return batch.open && !this.#behaviour?.trusted ? batch.suspend(() => this.#turn()) : this.#turn()
  }

  #turn(): boolean {
    if (this.#behaviour === undefined) {
      const served = this.waiters.serve(this.#host.clock)
      if (served > 0) this.#host.running(this)
      this.handled += served
      return false
    }
    if (this.#busy || this.mailbox.length === 0) return false
    this.#handle(this.#behaviour, this.mailbox.shift())
    this.#queued = this.alive && !this.#busy && this.mailbox.length > 0
    return this.#queued
  }

  #handle(behaviour: Behaviour, message: unknown): void {
    this.handled++
    this.#host.running(this)
    try {
      const pending = behaviour.handle(message)
      if (pending === undefined) return
      this.#busy = true
      void this.#settle(behaviour, pending)
    } catch (thrown) {
      this.#busy = true
      void this.#fail(behaviour, thrown)
    }
  }

  async #settle(behaviour: Behaviour, pending: Promise<void>): Promise<void> {
    try {
      await pending
      this.#busy = false
      this.schedule()
    } catch (thrown) {
      await this.#fail(behaviour, thrown)
    }
  }

  async #fail(behaviour: Behaviour, thrown: unknown): Promise<void> {
    const reason = reasonFrom(thrown)
    try {
      if (this.alive) await behaviour.terminate?.(reason)
      this.exit(reason)
    } catch (inTerminate) {
      this.exit(reasonFrom(inTerminate))
    }
  }

  /** An exit signal arrives: the rules of `B` and `C` in the semantics page. */
  receiveExit(from: Pid, reason: ExitReason, linked: boolean): void {
    if (!this.alive) return
    if (linked && !this.links.delete(from.toString())) return
    if (reason === 'kill' && !linked) return this.exit('killed')
    if (this.trapExit) return this.deliver({ type: 'EXIT', pid: from, reason }, true)
    if (reason !== 'normal' || (!linked && from.equals(this.pid))) this.exit(reason)
  }

  /** A monitor of this process fires. */
  receiveDown(ref: Ref, pid: Pid | string, reason: ExitReason): void {
    if (this.monitors.delete(ref.toString())) this.deliver({ type: 'DOWN', ref, pid, reason }, true)
  }

  /** Whether code of it may still run on. */
  get #runsOn(): boolean {
    return this.alive || this.birth.shell === true
  }

  /** What a promise that a dead process asks for does: it never settles, as no code of it may run on. */
  over(): Promise<never> {
    return this.birth.shell ? Promise.reject(shellEnded('noproc')) : new Promise(() => {})
  }

  /** What `work`, done for this process, comes to while it lives. */
  async own<T>(work: Promise<T>): Promise<T> {
    try {
      const value = await work
      if (this.#runsOn) return value
    } catch (error) {
      if (this.#runsOn) throw error
    }
    return this.over()
  }

  /** Ends the process: nothing of it runs from its mailbox any more, and whoever should know hears of it. */
  exit(reason: ExitReason): void {
    if (!this.alive) return
    this.alive = false
    this.#host.exited(this, reason)
  }
}

/** Why a promise of a shell that has ended is rejected: the code that waits for it has not. */
export function shellEnded(reason: ExitReason): BeamlineError {
  const message = `the shell process of this thread exited: ${describe(reason)}`
  return new BeamlineError('NOPROC', message, { cause: errorFrom(reason), details: { reason } })
}

function isDroppable(message: unknown): boolean {
  if (message instanceof Call) return false
  const type = (message as { type?: unknown } | null)?.type
  return type !== 'DOWN' && type !== 'EXIT'
}
