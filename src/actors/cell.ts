import type { Pid, Ref } from '../threads/pid.js'
import type { Wire } from '../threads/wire.js'
import { Aliases } from './aliases.js'
import { type Behaviour, type BehaviourFn, isBehaviourFn, type ProcessFn, stateful } from './behaviour.js'
import type { Birth } from './birth.js'
import { type Asker, shellEnded } from './calls.js'
import { Exit, type ExitReason, reasonFrom } from './exit-reason.js'
import type { Host } from './host.js'
import type { ProcessStatus } from './inspect.js'
import { LazyMap } from './lazy-map.js'
import { Mailbox, type MailboxLimit } from './mailbox.js'
import {
  Call,
  type From,
  isDroppable,
  isSystemCall,
  KeptWire,
  type Monitor,
  SystemCall,
  type SystemRequest,
} from './messages.js'
import type { NameClaim } from './names.js'
import { Process } from './process.js'
import { RefMap } from './ref-map.js'
import type { Runnable } from './scheduler.js'
import { Traces } from './trace.js'
import { Waiters } from './waiters.js'

/** The inside of one process: what its `Process` hides. Lives on one thread and is touched by no other. */
export class Cell implements Runnable, Asker {
  readonly pid: Pid
  readonly birth: Birth
  readonly process: Process
  readonly mailbox = new Mailbox()
  readonly waiters: Waiters
  alive = true
  trapExit = false
  /** Messages taken so far. */
  handled = 0
  openCalls = 0
  readonly links = new LazyMap<string, Pid>()
  /** Unlinks that the other side has not confirmed: until then a link that it makes is one that this unlink will end. */
  readonly unlinking = new LazyMap<string, Monitor>()
  /** What this process monitors, by reference. */
  readonly monitors = new RefMap<Monitor>()
  /** Who monitors this process, by reference. */
  readonly watchers = new RefMap<Monitor>()
  /** Calls taken or waiting here that nobody has answered, by reference. */
  readonly unanswered = new RefMap<From>()
  readonly aliases = new Aliases()
  readonly names: { readonly name: string; readonly claim: NameClaim }[] = []
  /** Hears the exit reason, once. */
  onExit: ((reason: ExitReason) => void) | undefined
  readonly #host: Host
  #behaviour: Behaviour | undefined
  /** Whether it is a behaviour, made or not, and no function that receives by itself. */
  #behaves = false
  #busy = true
  #queued = false
  #suspended = false
  /** Requests of the system's own that wait in the mailbox. */
  #systemCalls = 0
  #traces: Traces | undefined

  constructor(host: Host, pid: Pid, birth: Birth) {
    this.#host = host
    this.pid = pid
    this.birth = birth
    this.waiters = new Waiters(this.mailbox)
    this.process = birth.process === undefined ? new Process(host, this) : Process.revive(birth.process, this)
  }

  /** Runs the process function; `ready` is called just before, or, for a behaviour, once it is made. */
  run(body: ProcessFn | BehaviourFn, args: unknown, ready?: () => void): void {
    this.#behaves = isBehaviourFn(body)
    if (isBehaviourFn(body)) return void this.#become(body, args, ready)
    ready?.()
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

  async #become(make: BehaviourFn, args: unknown, ready: (() => void) | undefined): Promise<void> {
    if (!this.alive) return
    try {
      const behaviour = await make(this.process, args)
      if (!this.alive) return
      this.#behaviour = behaviour
      ready?.()
      if (behaviour.begin !== undefined) return this.#settle(behaviour, Promise.resolve(behaviour.begin()))
      this.#busy = false
      this.schedule()
    } catch (thrown) {
      if (this.#behaviour === undefined) this.exit(reasonFrom(thrown))
      else await this.#fail(this.#behaviour, thrown)
    }
  }

  /** A message, call or cast for the mailbox; `forced` ones (signals turned into messages) ignore its limit. */
  deliver(message: unknown, forced = false): void {
    const limit = this.birth.limit
    if (limit !== undefined && !forced && this.mailbox.length >= limit.limit && !this.#makeRoom(message, limit)) return
    if (this.#traces !== undefined) this.#traces.tell('received', message)
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
    const oldest = mayStay ? this.mailbox.find(isDroppable, 0) : -1
    this.#host.deadLetters.overflowed(this, oldest < 0 ? message : this.mailbox.remove(oldest))
    this.waiters.rescan()
    return oldest >= 0
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
    if (this.#busy || this.#suspended || this.mailbox.length === 0) return false
    const message = this.mailbox.shift()
    if (this.#systemCalls > 0 && message instanceof SystemCall) this.#takeSystemCall(message)
    else this.#handle(this.#behaviour, message)
    this.#queued = this.alive && !this.#busy && !this.#suspended && this.mailbox.length > 0
    return this.#queued
  }

  /** A request of the system's own: a behaviour takes it in its turn, or, like a function, at once while suspended. */
  obey(call: SystemCall): void {
    if (!this.#behaves || this.#suspended || call.request.op === 'trace') return this.#obey(call)
    this.#systemCalls++
    this.mailbox.push(call)
    this.schedule()
  }

  /** Those behind the one that suspends do not wait for the messages between them. */
  #takeSystemCall(call: SystemCall): void {
    for (let next: SystemCall | undefined = call; next !== undefined; ) {
      this.#systemCalls--
      this.#obey(next)
      const more = this.#suspended && this.#systemCalls > 0
      next = more ? (this.mailbox.remove(this.mailbox.find(isSystemCall, 0)) as SystemCall) : undefined
    }
  }

  #obey({ from, request }: SystemCall): void {
    // Its death is the answer.
    if (request.op === 'stop') return this.#stop(request.reason)
    const { router } = this.#host
    try {
      router.reply(this, from, 'value', this.#asked(request))
    } catch (error) {
      router.reply(this, from, 'error', error)
    }
  }

  #asked(request: SystemRequest): unknown {
    switch (request.op) {
      case 'suspend':
        // What came before is taken before.
        if (!this.#behaves) this.#turn()
        return this.#suspend(true)
      case 'resume':
        return this.#suspend(false)
      case 'getState':
        return stateful(this.#behaviour, this.birth.label).systemGetState()
      case 'trace': {
        const { tracer, ref, limit } = request
        this.watchers.add({ pid: tracer, ref })
        this.traceBy(this.#traces ?? new Traces(this.#host, this)).add(tracer, ref, limit)
        return
      }
      case 'replaceState':
        return stateful(this.#behaviour, this.birth.label).systemReplaceState(request.state)
    }
  }

  traceBy<T extends Traces | undefined>(traces: T): T {
    this.#traces = traces
    this.waiters.onTaken = traces && ((message) => traces.tell('taken', message))
    return traces
  }

  #suspend(on: boolean): void {
    this.#suspended = on
    this.waiters.held = on
    if (!on) this.schedule()
  }

  #stop(reason: ExitReason): void {
    if (this.#behaviour === undefined) return this.exit(reason)
    this.#suspended = false
    this.#busy = true
    void this.#fail(this.#behaviour, new Exit(reason))
  }

  /** Whether it is a behaviour that has nothing to do, nor anybody who looks on: it could take a message now. */
  get rests(): boolean {
    return (
      this.#behaviour !== undefined &&
      this.mailbox.length === 0 &&
      !this.#busy &&
      !this.#suspended &&
      this.#traces === undefined &&
      this.alive
    )
  }

  /** A compact message: taken at once where nothing waits before it, without a mailbox. */
  takeWire(wire: Wire): void {
    const behaviour = this.#behaviour
    if (behaviour?.takeWire === undefined) return
    if (!this.rests) return this.keepWire(wire)
    this.handled++
    this.#host.running(this)
    try {
      const { batch } = this.#host
      if (batch.open && !behaviour.trusted) batch.suspend(() => behaviour.takeWire?.(wire))
      else behaviour.takeWire(wire)
    } catch (thrown) {
      this.#busy = true
      void this.#fail(behaviour, thrown)
    }
  }

  /** A compact message that waits its turn. */
  keepWire(wire: Wire): void {
    const kept = new KeptWire(wire, this.#host.wires.askerOf(wire, this.pid))
    if (kept.from !== undefined) this.unanswered.add(kept.from)
    this.deliver(kept)
  }

  /** What it does now. */
  get status(): ProcessStatus {
    if (this.#suspended) return 'suspended'
    const rests = this.#behaves ? !this.#busy && this.mailbox.length === 0 : this.waiters.waiting
    return rests ? 'waiting' : 'running'
  }

  #handle(behaviour: Behaviour, message: unknown): void {
    this.handled++
    this.#host.running(this)
    if (this.#traces !== undefined) this.#traces.tell('taken', message)
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
    if (this.trapExit && this.#suspended && this.#behaves && this.birth.parent?.equals(from)) return this.#stop(reason)
    if (this.trapExit) return this.deliver({ type: 'EXIT', pid: from, reason }, true)
    if (reason !== 'normal' || (!linked && from.equals(this.pid))) this.exit(reason)
  }

  /** A monitor of this process fires. */
  receiveDown(ref: Ref, pid: Pid | string, reason: ExitReason): void {
    if (this.monitors.remove(ref) !== undefined) this.deliver({ type: 'DOWN', ref, pid, reason }, true)
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
