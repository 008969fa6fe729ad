import type { Pid, Ref } from '../threads/pid.js'
import type { Wire } from '../threads/wire.js'
import { type BehaviourFn, isBehaviourFn, type ProcessFn, stateful } from './behaviour.js'
import type { Birth } from './birth.js'
import { shellEnded } from './calls.js'
import { Conduct } from './conduct.js'
import { Exit, type ExitReason, reasonFrom } from './exit-reason.js'
import type { Host } from './host.js'
import { Inbox } from './inbox.js'
import type { ProcessStatus } from './inspect.js'
import type { MailboxLimit } from './mailbox.js'
import { Call, isDroppable, isSystemCall, KeptWire, SystemCall, type SystemRequest } from './messages.js'
import { Process } from './process.js'
import type { Runnable } from './scheduler.js'
import { Ties } from './ties.js'
import { Traces } from './trace.js'

/** For microtasks, as `queueMicrotask` is slow. */
const now = Promise.resolve()

/** The inside of one process: what its `Process` hides. Lives on one thread and is touched by no other. */
export class Cell extends Inbox implements Runnable {
  readonly pid: Pid
  readonly birth: Birth
  readonly process: Process
  alive = true
  /** Messages taken so far. */
  handled = 0
  next: Runnable | null | undefined
  readonly host: Host
  #ties: Ties | undefined
  /** What runs: a behaviour, or a function that has not returned. */
  #life: Conduct | Promise<void> | undefined

  constructor(host: Host, pid: Pid, birth: Birth) {
    super()
    this.host = host
    this.pid = pid
    this.birth = birth
    this.process = birth.process === undefined ? new Process(this) : Process.revive(birth.process, this)
  }

  /** Its messages and receives. Part of it, as an object of their own would be 32 bytes more for each process. */
  get inbox(): Inbox {
    return this
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

  get trapExit(): boolean {
    return this.#ties?.trapExit ?? false
  }

  /** That of a behaviour, made or not; a function receives by itself. */
  get #conduct(): Conduct | undefined {
    return this.#life instanceof Conduct ? this.#life : undefined
  }

  /** Whether a message to this alias may come in; one to the process itself may. */
  admits(alias: number | undefined): boolean {
    return alias === undefined || (this.#ties?.aliases.admits(alias) ?? false)
  }

  /** Runs the process function; `ready` is called just before, or, for a behaviour, once it is made. */
  run(body: ProcessFn | BehaviourFn, args: unknown, ready?: () => void): void {
    if (isBehaviourFn(body)) {
      const conduct = new Conduct(this)
      this.#life = conduct
      return void conduct.become(body, args, ready)
    }
    void now.then(() => {
      ready?.()
      this.#live(body, args)
    })
  }

  #live(body: ProcessFn, args: unknown): void {
    if (!this.alive) return
    this.host.running(this)
    try {
      const running = body(this.process, args)
      if (running === undefined) return this.exit('normal')
      // One bound function, and no frame of an async one: as long as the process lives, this is 350 bytes less.
      this.#life = Promise.resolve(running)
      const settled = this.#settled.bind(this)
      this.#life.then(settled, settled)
    } catch (thrown) {
      this.exit(reasonFrom(thrown))
    }
  }

  #settled(): void {
    const failed = (thrown: unknown) => this.exit(reasonFrom(thrown))
    ;(this.#life as Promise<void>).then(() => this.exit('normal'), failed)
  }

  /** A message, call or cast for the mailbox; `forced` ones (signals turned into messages) ignore its limit. */
  deliver(message: unknown, forced = false): void {
    const limit = this.birth.limit
    if (limit !== undefined && !forced && this.length >= limit.limit && !this.#makeRoom(message, limit)) return
    this.#ties?.traces?.tell('received', message)
    this.push(message)
    this.schedule()
  }

  #makeRoom(message: unknown, { limit, overflow }: MailboxLimit): boolean {
    if (overflow === 'exit') {
      const text = `the mailbox of ${this.birth.label} is full (${limit} messages)`
      this.exit({ error: { name: 'BeamlineError', message: text, stack: '', code: 'MAILBOX_FULL' } })
      return false
    }
    const mayStay = overflow === 'drop-oldest' && !(message instanceof Call)
    const oldest = mayStay ? this.find(isDroppable, 0) : -1
    this.host.deadLetters.overflowed(this, oldest < 0 ? message : this.remove(oldest))
    return oldest >= 0
  }

  schedule(): void {
    if (this.alive && this.length > 0) this.host.scheduler.enqueue(this)
  }

  runOnce(): boolean {
    if (!this.alive) return false
    const { batch } = this.host
    return batch.open && !this.#conduct?.behaviour?.trusted ? batch.suspend(() => this.#turn()) : this.#turn()
  }

  #turn(): boolean {
    const conduct = this.#conduct
    if (conduct?.behaviour === undefined) {
      const served = this.serve(this.host.clock)
      if (served > 0) this.host.running(this)
      this.handled += served
      return false
    }
    if (conduct.busy || this.held || this.length === 0) return false
    const message = this.shift()
    if (message instanceof SystemCall) this.#takeSystemCall(conduct, message)
    else {
      this.handled++
      this.host.running(this)
      this.#ties?.traces?.tell('taken', message)
      conduct.handle(conduct.behaviour, message)
    }
    return this.alive && !conduct.busy && !this.held && this.length > 0
  }

  /** A request of the system's own: a behaviour takes it in its turn, or, like a function, at once while suspended. */
  obey(call: SystemCall): void {
    if (this.#conduct === undefined || this.held || call.request.op === 'trace') return this.#obey(call)
    this.#conduct.systemCalls++
    this.push(call)
    this.schedule()
  }

  /** Those behind the one that suspends do not wait for the messages between them. */
  #takeSystemCall(conduct: Conduct, call: SystemCall): void {
    for (let next: SystemCall | undefined = call; next !== undefined; ) {
      conduct.systemCalls--
      this.#obey(next)
      const more = this.held && conduct.systemCalls > 0
      next = more ? (this.remove(this.find(isSystemCall, 0)) as SystemCall) : undefined
    }
  }

  #obey({ from, request }: SystemCall): void {
    // Its death is the answer.
    if (request.op === 'stop') return this.#stop(request.reason)
    const { router } = this.host
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
        if (this.#conduct === undefined) this.#turn()
        return this.#suspend(true)
      case 'resume':
        return this.#suspend(false)
      case 'getState':
        return stateful(this.#conduct?.behaviour, this.birth.label).systemGetState()
      case 'trace': {
        const { tracer, ref, limit } = request
        this.ties.watchers.add({ pid: tracer, ref })
        this.traceBy(this.#ties?.traces ?? new Traces(this.host, this)).add(tracer, ref, limit)
        return
      }
      case 'replaceState':
        return stateful(this.#conduct?.behaviour, this.birth.label).systemReplaceState(request.state)
    }
  }

  traceBy<T extends Traces | undefined>(traces: T): T {
    this.ties.traces = traces
    this.onTaken(traces && ((message) => traces.tell('taken', message)))
    return traces
  }

  #suspend(on: boolean): void {
    this.held = on
    if (!on) this.schedule()
  }

  #stop(reason: ExitReason): void {
    const conduct = this.#conduct
    if (conduct?.behaviour === undefined) return this.exit(reason)
    this.held = false
    void conduct.fail(conduct.behaviour, new Exit(reason))
  }

  /** Whether it is a behaviour that has nothing to do, nor anybody who looks on: it could take a message now. */
  get rests(): boolean {
    const conduct = this.#conduct
    if (conduct?.behaviour === undefined || conduct.busy) return false
    return this.length === 0 && !this.held && this.#ties?.traces === undefined && this.alive
  }

  /** A compact message: taken at once where nothing waits before it, without a mailbox. */
  takeWire(wire: Wire): void {
    const conduct = this.#conduct
    const behaviour = conduct?.behaviour
    if (conduct === undefined || (behaviour !== undefined && behaviour.takeWire === undefined)) return
    // It may come before the behaviour is made: then it waits as messages do.
    if (behaviour === undefined || !this.rests) return this.keepWire(wire)
    this.handled++
    this.host.running(this)
    conduct.takeWire(behaviour, wire)
  }

  /** A compact message that waits its turn. */
  keepWire(wire: Wire, from = this.host.wires.askerOf(wire, this.pid)): void {
    const kept = new KeptWire(wire, from)
    if (kept.from !== undefined) this.ties.unanswered.add(kept.from)
    this.deliver(kept)
  }

  /** What it does now. */
  get status(): ProcessStatus {
    if (this.held) return 'suspended'
    const rests = this.#conduct ? !this.#conduct.busy && this.length === 0 : this.waiting
    return rests ? 'waiting' : 'running'
  }

  /** An exit signal arrives: the rules of `B` and `C` in the semantics page. */
  receiveExit(from: Pid, reason: ExitReason, linked: boolean): void {
    if (!this.alive) return
    if (linked && !this.ties.links.delete(from.toString())) return
    if (reason === 'kill' && !linked) return this.exit('killed')
    if (this.trapExit && this.held && this.#conduct && this.birth.parent?.equals(from)) return this.#stop(reason)
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
    this.host.exited(this, reason)
  }
}
