import type { Pid, Ref } from '../threads/pid.js'
import { type Behaviour, type BehaviourFn, isBehaviourFn, type ProcessFn, stateful } from './behaviour.js'
import type { Birth } from './birth.js'
import { type Asker, shellEnded } from './calls.js'
import { Exit, type ExitReason, reasonFrom } from './exit-reason.js'
import type { Host } from './host.js'
import { Inbox } from './inbox.js'
import type { ProcessStatus } from './inspect.js'
import type { MailboxLimit } from './mailbox.js'
import { Call, isDroppable, isSystemCall, SystemCall, type SystemRequest } from './messages.js'
import { Process } from './process.js'
import type { Runnable } from './scheduler.js'
import { Ties } from './ties.js'
import { Traces } from './trace.js'

/** For microtasks, as `queueMicrotask` is slow. */
const now = Promise.resolve()

/** The inside of one process: what its `Process` hides. Lives on one thread and is touched by no other. */
export class Cell implements Runnable, Asker {
  readonly pid: Pid
  readonly birth: Birth
  readonly process: Process
  readonly inbox = new Inbox()
  alive = true
  trapExit = false
  /** Messages taken so far. */
  handled = 0
  openCalls = 0
  next: Runnable | undefined
  readonly #host: Host
  #ties: Ties | undefined
  #behaviour: Behaviour | undefined
  /** Whether it is a behaviour, made or not, and no function that receives by itself. */
  #behaves = false
  #busy = true
  #queued = false

  constructor(host: Host, pid: Pid, birth: Birth) {
    this.#host = host
    this.pid = pid
    this.birth = birth
    this.process = birth.process === undefined ? new Process(host, this) : Process.revive(birth.process, this)
  }

  /** What ties it to others, if anything ever did. */
  get tied(): Ties | undefined {
    return this.#ties
  }

  /** The same, to tie it. */
  get ties(): Ties {
    this.#ties ??= new Ties()
    return this.#ties
  }

  /** Whether a message to this alias may come in; one to the process itself may. */
  admits(alias: number | undefined): boolean {
    return alias === undefined || (this.#ties?.aliases.admits(alias) ?? false)
  }

  /** Runs the process function; `ready` is called just before, or, for a behaviour, once it is made. */
  run(body: ProcessFn | BehaviourFn, args: unknown, ready?: () => void): void {
    this.#behaves = isBehaviourFn(body)
    if (isBehaviourFn(body)) return void this.#become(body, args, ready)
    void now.then(() => {
      ready?.()
      this.#live(body, args)
    })
  }

  #live(body: ProcessFn, args: unknown): void {
    if (!this.alive) return
    this.#host.running(this)
    try {
      const running = body(this.process, args)
      if (running === undefined) this.#returned()
      // Bound, and no closures or frame of an async function: as long as the process lives, this is 300 bytes less.
      else Promise.resolve(running).then(this.#returned.bind(this), this.#thrown.bind(this))
    } catch (thrown) {
      this.#thrown(thrown)
    }
  }

  #returned(): void {
    this.exit('normal')
  }

  #thrown(thrown: unknown): void {
    this.exit(reasonFrom(thrown))
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
    if (limit !== undefined && !forced && this.inbox.length >= limit.limit && !this.#makeRoom(message, limit)) return
    this.#ties?.traces?.tell('received', message)
    this.inbox.push(message)
    this.schedule()
  }

  #makeRoom(message: unknown, { limit, overflow }: MailboxLimit): boolean {
    if (overflow === 'exit') {
      const text = `the mailbox of ${this.birth.label} is full (${limit} messages)`
      this.exit({ error: { name: 'BeamlineError', message: text, stack: '', code: 'MAILBOX_FULL' } })
      return false
    }
    const mayStay = overflow === 'drop-oldest' && !(message instanceof Call)
    const oldest = mayStay ? this.inbox.find(isDroppable, 0) : -1
    this.#host.deadLetters.overflowed(this, oldest < 0 ? message : this.inbox.remove(oldest))
    return oldest >= 0
  }

  schedule(): void {
    if (this.#queued || !this.alive || this.inbox.length === 0) return
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
      const served = this.inbox.serve(this.#host.clock)
      if (served > 0) this.#host.running(this)
      this.handled += served
      return false
    }
    if (this.#busy || this.inbox.held || this.inbox.length === 0) return false
    const message = this.inbox.shift()
    if (message instanceof SystemCall) this.#takeSystemCall(message)
    else this.#handle(this.#behaviour, message)
    this.#queued = this.alive && !this.#busy && !this.inbox.held && this.inbox.length > 0
    return this.#queued
  }

  /** A request of the system's own: a behaviour takes it in its turn, or, like a function, at once while suspended. */
  obey(call: SystemCall): void {
    if (!this.#behaves || this.inbox.held || call.request.op === 'trace') return this.#obey(call)
    this.ties.systemCalls++
    this.inbox.push(call)
    this.schedule()
  }

  /** Those behind the one that suspends do not wait for the messages between them. */
  #takeSystemCall(call: SystemCall): void {
    for (let next: SystemCall | undefined = call; next !== undefined; ) {
      this.ties.systemCalls--
      this.#obey(next)
      const more = this.inbox.held && this.ties.systemCalls > 0
      next = more ? (this.inbox.remove(this.inbox.find(isSystemCall, 0)) as SystemCall) : undefined
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
        this.ties.watchers.add({ pid: tracer, ref })
        this.traceBy(this.#ties?.traces ?? new Traces(this.#host, this)).add(tracer, ref, limit)
        return
      }
      case 'replaceState':
        return stateful(this.#behaviour, this.birth.label).systemReplaceState(request.state)
    }
  }

  traceBy<T extends Traces | undefined>(traces: T): T {
    this.ties.traces = traces
    this.inbox.onTaken = traces && ((message) => traces.tell('taken', message))
    return traces
  }

  #suspend(on: boolean): void {
    this.inbox.held = on
    if (!on) this.schedule()
  }

  #stop(reason: ExitReason): void {
    if (this.#behaviour === undefined) return this.exit(reason)
    this.inbox.held = false
    this.#busy = true
    void this.#fail(this.#behaviour, new Exit(reason))
  }

  /** What it does now. */
  get status(): ProcessStatus {
    if (this.inbox.held) return 'suspended'
    const rests = this.#behaves ? !this.#busy && this.inbox.length === 0 : this.inbox.waiting
    return rests ? 'waiting' : 'running'
  }

  #handle(behaviour: Behaviour, message: unknown): void {
    this.handled++
    this.#host.running(this)
    this.#ties?.traces?.tell('taken', message)
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
    if (linked && !this.ties.links.delete(from.toString())) return
    if (reason === 'kill' && !linked) return this.exit('killed')
    if (this.trapExit && this.inbox.held && this.#behaves && this.birth.parent?.equals(from)) return this.#stop(reason)
    if (this.trapExit) return this.deliver({ type: 'EXIT', pid: from, reason }, true)
    if (reason !== 'normal' || (!linked && from.equals(this.pid))) this.exit(reason)
  }

  /** A monitor of this process fires. */
  receiveDown(ref: Ref, pid: Pid | string, reason: ExitReason): void {
    if (this.ties.monitors.remove(ref) !== undefined) this.deliver({ type: 'DOWN', ref, pid, reason }, true)
  }

  /** Whether code of it may still run on. */
  get runsOn(): boolean {
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
      if (this.runsOn) return value
    } catch (error) {
      if (this.runsOn) throw error
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
