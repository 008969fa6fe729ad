import { isDeepStrictEqual } from 'node:util'
import { BeamlineError, shown } from '../errors.js'
import { copy, type Payload, pack, type Transfer } from '../threads/payload.js'
import { Pid, Ref } from '../threads/pid.js'
import type { Signal } from '../threads/signal.js'
import { ANSWER, ASKED, DATED, Wire } from '../threads/wire.js'
import { exited } from './calls.js'
import type { Cell } from './cell.js'
import { type ExitReason, sendable } from './exit-reason.js'
import type { Host } from './host.js'
import { Call, Cast, type From, isDown, SystemCall, type SystemRequest } from './messages.js'
import { type Destination, pidIn } from './process.js'
import { isVia, shownName } from './via.js'

/** A question, as the router puts it. */
interface Asked {
  readonly asker: Pid
  /** Whose death ends the wait. */
  readonly owner: Pid | undefined
  readonly callee: Pid
  /** What is asked, for error messages. */
  readonly what: string
  readonly timeout: number
  /** Whether the request is one of the system's own. */
  readonly system?: boolean
}

/**
 * What one process does to another: straight to its cell when that is on this thread, as a signal when it is not. Both
 * ways keep the order in which one process acts on another.
 */
export class Router {
  readonly #host: Host
  readonly #answer = new Wire()

  constructor(host: Host) {
    this.#host = host
    this.#answer.op = ANSWER
    this.#answer.parts = ASKED | DATED
  }

  message(sender: Cell | undefined, to: Pid, body: unknown, cast: boolean, transfer?: Transfer, alias?: number): void {
    if (sender !== undefined && !sender.alive) return
    if (this.#isHere(to)) {
      const message = copy(body, transfer)
      const cell = this.#host.cell(to)
      if (cell?.aliases.admits(alias)) cell.deliver(cast ? new Cast(message) : message)
      else this.#host.deadLetters.post(to, message)
      return
    }
    const packed = pack(body, transfer)
    const signal: Signal =
      alias === undefined
        ? { kind: 'message', to: to.raw, body: packed, cast }
        : { kind: 'message', to: to.raw, body: packed, cast, alias }
    // The thread of the dead may be on its way out, and what it has not read is lost.
    const sent = this.#host.processes.isAlive(to) && this.#signal(to, signal, transfer)
    if (!sent) this.#host.deadLetters.post(to, body)
  }

  call(caller: Cell, to: Destination, request: unknown, timeout: number): Promise<unknown> {
    return this.#callBy(caller, to, request, timeout, false)
  }

  /**
   * Asks a process to end in its turn; resolves once it is dead.
   * @throws BeamlineError NOPROC when it is dead already, or ends for another reason
   */
  async stop(caller: Cell, to: Destination, reason: ExitReason, timeout: number): Promise<void> {
    try {
      await this.#callBy(caller, to, { op: 'stop', reason } satisfies SystemRequest, timeout, true)
    } catch (error) {
      const ended = error instanceof BeamlineError && error.code === 'NOPROC' && error.cause !== undefined
      if (!ended || !isDeepStrictEqual(error.details['reason'], sendable(reason))) throw error
    }
  }

  async #callBy(caller: Cell, to: Destination, request: unknown, timeout: number, system: boolean): Promise<unknown> {
    this.#host.assertOpen()
    const callee = this.#host.resolve(to, 'quiet')
    const what = `the ${system ? 'stop of' : 'call to'} ${nameOf(to, callee)}`
    if (callee === undefined) throw exited(what, 'noproc')
    if (callee.equals(caller.pid)) {
      const text = `${what} can never be answered, as a process that calls itself waits for itself: call the method directly`
      throw new BeamlineError('NOPROC', text, { details: { reason: 'calling_self' } })
    }
    if (!caller.alive) return caller.over()
    return this.#ask({ asker: caller.pid, owner: caller.pid, callee, what, timeout, system }, request)
  }

  /** Puts a request of the system's own to a process, for this thread. */
  async system(to: Destination, request: SystemRequest, timeout: number): Promise<unknown> {
    this.#host.assertOpen()
    const callee = this.#host.resolve(to)
    const what = `${request.op} of ${nameOf(to, callee)}`
    const asker = this.#host.pidOf(this.#host.thread)
    return this.#ask({ asker, owner: undefined, callee, what, timeout, system: true }, request)
  }

  /** Kills a process for the thread itself; resolves once it is dead. */
  async kill(pid: Pid): Promise<void> {
    if (this.#isHere(pid)) return this.#host.cell(pid)?.exit('killed')
    const from = this.#host.pidOf(this.#host.thread)
    this.#signal(pid, { kind: 'exit', to: pid.raw, from: from.raw, reason: pack('kill'), linked: false })
    this.#host.control.suspect(pid)
    // Behind the kill: it is the dead who answer this.
    const asked = {
      asker: from,
      owner: undefined,
      callee: pid,
      what: `kill of ${pid}`,
      timeout: Number.POSITIVE_INFINITY,
    }
    await this.#ask({ ...asked, system: true }, { op: 'getState' } satisfies SystemRequest).catch(() => {})
  }

  /** A call in the stead of a process that does not run yet: it is settled even if that process dies meanwhile. */
  async callFor(asker: Pid, callee: Pid, request: unknown): Promise<unknown> {
    const timeout = Number.POSITIVE_INFINITY
    return this.#ask({ asker, owner: undefined, callee, what: `the call to ${callee}`, timeout }, request)
  }

  #ask({ asker, owner, callee, what, timeout, system = false }: Asked, request: unknown): Promise<unknown> {
    const here = this.#isHere(callee)
    const kind = system ? 'system' : 'call'
    const body = here ? copy(request) : pack(request)
    const ref = this.#host.ref()
    const abandoned = () => this.#forget(callee, ref)
    const answer = this.#host.calls.open(ref, { owner, callee, thread: callee.thread, what, timeout, abandoned })
    try {
      const sent = here
        ? this.#askHere(kind, { pid: asker, ref, callee }, body)
        : this.#signal(callee, { kind, to: callee.raw, from: asker.raw, ref: ref.raw, body: body as Payload })
      if (!sent) this.#host.calls.settle(ref.serial, 'exit', 'noproc')
    } catch (error) {
      this.#host.calls.settle(ref.serial, 'error', error)
    }
    return answer
  }

  #askHere(kind: 'call' | 'system', from: From & { readonly callee: Pid }, request: unknown): boolean {
    const cell = this.#host.cell(from.callee)
    if (cell !== undefined) this.ask(cell, kind, from, request)
    return cell !== undefined
  }

  /** Puts a call into the mailbox of a process on this thread, and remembers that it wants an answer. */
  ask(cell: Cell, kind: 'call' | 'system', from: From, request: unknown): void {
    cell.unanswered.set(from.ref.toString(), from)
    if (kind === 'call') cell.deliver(new Call(from, request))
    else cell.obey(new SystemCall(from, request as SystemRequest))
  }

  /** Answers a call, for its callee or in its stead; `by` is undefined when the host itself answers. */
  reply(by: Cell | undefined, from: From, outcome: 'value' | 'error' | 'exit', value: unknown): void {
    if (by !== undefined && !by.alive) return
    if (this.#isHere(from.pid)) this.#host.settle(from.ref.serial, outcome, copy(value))
    else this.#signal(from.pid, { kind: 'reply', ref: from.ref.raw, outcome, body: pack(value) })
    // Last: an answer that cannot be sent leaves the call open, for its callee's exit to settle.
    if (from.callee !== undefined) this.#forget(from.callee, from.ref)
  }

  /** Sends a compact message; false when its thread is known to be gone. */
  wire(wire: Wire, to: Pid): boolean {
    wire.slot = to.slot
    wire.generation = to.generation
    if (!this.#isHere(to)) return this.#signal(to, wire)
    const cell = this.#host.cell(to)
    wire.thread = this.#host.thread
    cell?.keepWire(wire)
    return cell !== undefined
  }

  /** As {@link wire}, for a process that may be dead, as may be the one it is for. */
  tellWire(sender: Cell, to: Pid, wire: Wire): void {
    if (!sender.alive) return
    const sent = this.#host.processes.isAlive(to) && this.wire(wire, to)
    if (!sent) this.#host.deadLetters.post(to, wire.value)
  }

  /** As {@link wire}, but a process of this thread takes it at once if it rests: not for what a user's code sends. */
  wireNow(wire: Wire, to: Pid): void {
    wire.slot = to.slot
    wire.generation = to.generation
    if (!this.#isHere(to)) this.#signal(to, wire)
    else this.#host.cell(to)?.takeWire(wire)
  }

  /** Sends a compact message that wants an answer. */
  askWire(caller: Cell, to: Pid, wire: Wire, timeout: number, settled?: () => void): Promise<unknown> {
    this.#host.assertOpen()
    if (!caller.alive) return caller.over()
    const ref = this.#host.ref()
    const abandoned = () => this.#forget(to, ref)
    const what = `the call to ${to}`
    const question = { owner: caller.pid, callee: to, thread: to.thread, what, timeout, abandoned, settled }
    const answer = this.#host.calls.open(ref, question)
    wire.serial = ref.serial
    wire.askerSlot = caller.pid.slot
    wire.askerGeneration = caller.pid.generation
    if (!this.wire(wire, to)) this.#host.calls.settle(ref.serial, 'exit', 'noproc')
    return answer
  }

  /** Who waits for the answer to a compact message. */
  askerOf({ parts, thread, serial, askerSlot, askerGeneration }: Wire, callee: Pid): From | undefined {
    if ((parts & ASKED) === 0) return undefined
    const { node } = this.#host
    return { pid: new Pid(node, thread, askerSlot, askerGeneration), ref: new Ref(node, thread, serial), callee }
  }

  /** Answers a compact message of another thread that was taken at once. */
  answerWire(thread: number, serial: number, version: number, revision: number): void {
    const answer = this.#answer
    answer.serial = serial
    answer.version = version
    answer.revision = revision
    this.#host.mesh.send(thread, answer)
  }

  /** A compact message came for a process that is dead. */
  strayWire(wire: Wire): void {
    const to = new Pid(this.#host.node, this.#host.thread, wire.slot, wire.generation)
    const from = this.askerOf(wire, to)
    if (from === undefined) this.#host.deadLetters.post(to, wire.value)
    else this.reply(undefined, from, 'exit', 'noproc')
  }

  /** A signal could not leave its batch: whoever waits for what it asks, or answers, is told. */
  lost(signal: Signal, error: BeamlineError): void {
    if (!(signal.kind === 'call' || signal.kind === 'system' || signal.kind === 'spawn' || signal.kind === 'reply'))
      return
    const ref = Ref.fromRaw(this.#host.node, signal.ref)
    this.reply(undefined, { pid: this.#host.pidOf(ref.thread), ref, callee: undefined }, 'error', error)
  }

  /** The callee need not remember the call any more. */
  #forget(callee: Pid, ref: Ref): void {
    if (this.#isHere(callee)) this.#host.cell(callee)?.unanswered.delete(ref.toString())
    else this.#signal(callee, { kind: 'forget', to: callee.raw, ref: ref.raw })
  }

  exit(from: Pid, to: Pid, reason: ExitReason, linked: boolean): void {
    const target = this.#pid(to)
    if (!linked && this.#host.cell(from) === undefined) return
    if (this.#isHere(target)) {
      this.#host.cell(target)?.receiveExit(from, copy(reason) as ExitReason, linked)
      return
    }
    this.#signal(target, { kind: 'exit', to: target.raw, from: from.raw, reason: pack(reason), linked })
    if (reason === 'kill' && !linked) this.#host.control.suspect(target)
  }

  link(cell: Cell, to: Pid): void {
    const target = this.#pid(to)
    if (!cell.alive || target.equals(cell.pid) || cell.links.has(target.toString())) return
    cell.links.set(target.toString(), target)
    cell.unlinking.delete(target.toString())
    if (this.#isHere(target)) {
      const other = this.#host.cell(target)
      if (other === undefined) cell.receiveExit(target, 'noproc', true)
      else other.links.set(cell.pid.toString(), cell.pid)
    } else if (!this.#signal(target, { kind: 'link', to: target.raw, from: cell.pid.raw })) {
      cell.receiveExit(target, 'noproc', true)
    }
  }

  unlink(cell: Cell, to: Pid): void {
    const target = this.#pid(to)
    if (!cell.links.delete(target.toString())) return
    if (this.#isHere(target)) {
      this.#host.cell(target)?.links.delete(cell.pid.toString())
      return
    }
    const ref = this.#host.ref()
    const sent = this.#signal(target, { kind: 'unlink', to: target.raw, from: cell.pid.raw, ref: ref.raw })
    if (sent) cell.unlinking.set(target.toString(), { pid: target, ref })
  }

  /** Confirms the unlink `ref` of `by`, whether or not `of` is there to have heard it. */
  unlinked(by: Pid, of: Pid, ref: Ref): void {
    this.#signal(by, { kind: 'unlinked', to: by.raw, from: of.raw, ref: ref.raw })
  }

  monitor(cell: Cell, target: Destination): Ref {
    const ref = this.#host.ref()
    const pid = this.#host.resolve(target, 'quiet')
    if (!cell.alive || pid?.equals(cell.pid)) return ref
    if (pid === undefined) {
      const name = isVia(target) ? shownName(target) : target
      cell.deliver({ type: 'DOWN', ref, pid: name, reason: 'noproc' }, true)
      return ref
    }
    cell.monitors.set(ref.toString(), { pid, ref })
    if (this.#isHere(pid)) {
      const other = this.#host.cell(pid)
      if (other === undefined) cell.receiveDown(ref, pid, 'noproc')
      else other.watchers.set(ref.toString(), { pid: cell.pid, ref })
    } else if (!this.#signal(pid, { kind: 'monitor', to: pid.raw, from: cell.pid.raw, ref: ref.raw })) {
      cell.receiveDown(ref, pid, 'noproc')
    }
    return ref
  }

  demonitor(cell: Cell, ref: Ref, flush: boolean): void {
    const pid = cell.monitors.get(ref.toString())?.pid
    if (pid !== undefined) {
      cell.monitors.delete(ref.toString())
      if (this.#isHere(pid)) this.#host.cell(pid)?.watchers.delete(ref.toString())
      else this.#signal(pid, { kind: 'demonitor', to: pid.raw, ref: ref.raw })
    }
    if (!flush) return
    cell.mailbox.take((message) => isDown(message) && ref.equals(message.ref), 0)
    cell.waiters.rescan()
  }

  /** Tells the monitor `ref` of `watcher` that `pid` is gone. */
  down(watcher: Pid, ref: Ref, pid: Pid, reason: ExitReason): void {
    if (this.#isHere(watcher)) this.#host.cell(watcher)?.receiveDown(ref, pid, copy(reason) as ExitReason)
    else this.#signal(watcher, { kind: 'down', to: watcher.raw, from: pid.raw, ref: ref.raw, reason: pack(reason) })
  }

  #pid(to: unknown): Pid {
    const pid = pidIn(to)
    if (pid === undefined) throw new BeamlineError('INVALID_TYPE', `${shown(to)} is no process: give a Pid`)
    return pid
  }

  #isHere(pid: Pid): boolean {
    return pid.thread === this.#host.thread || pid.node !== this.#host.node
  }

  #signal(to: Pid, signal: Signal, transfer?: Transfer): boolean {
    return this.#host.mesh.send(to.thread, signal, transfer)
  }
}

function nameOf(to: Destination, pid: Pid | undefined): string {
  return typeof to === 'string' || isVia(to) ? shownName(to) : String(pid)
}
