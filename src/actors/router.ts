import { isDeepStrictEqual } from 'node:util'
import { BeamlineError, shown } from '../errors.js'
import { copy, type Payload, pack, type Transfer } from '../threads/payload.js'
import { type Pid, Ref } from '../threads/pid.js'
import type { Signal } from '../threads/signal.js'
import { Asked, type Kind, nameOf } from './asked.js'
import { exited } from './calls.js'
import type { Cell } from './cell.js'
import { type ExitReason, sendable } from './exit-reason.js'
import type { Host } from './host.js'
import { Call, Cast, type From, isDown, SystemCall, type SystemRequest } from './messages.js'
import { type Destination, pidIn } from './process.js'
import { MethodCall } from './server-ref.js'
import { isVia, shownName } from './via.js'

/**
 * What one process does to another: straight to its cell when that is on this thread, as a signal when it is not. Both
 * ways keep the order in which one process acts on another.
 */
export class Router {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  message(sender: Cell | undefined, to: Pid, body: unknown, cast: boolean, transfer?: Transfer, alias?: number): void {
    if (sender !== undefined && !sender.alive) return
    if (this.#isHere(to)) {
      const message = copyHere(body, transfer)
      const cell = this.#host.cell(to)
      if (cell?.admits(alias)) cell.deliver(cast ? new Cast(message) : message)
      else this.#host.deadLetters.post(to, message)
      return
    }
    const payload = packed(body, transfer)
    const signal: Signal =
      alias === undefined
        ? { kind: 'message', to: to.raw, body: payload, cast }
        : { kind: 'message', to: to.raw, body: payload, cast, alias }
    // The thread of the dead may be on its way out, and what it has not read is lost.
    const sent = this.#host.processes.isAlive(to) && this.#signal(to, signal, transfer)
    if (!sent) this.#host.deadLetters.post(to, body)
  }

  call(caller: Cell, to: Destination, request: unknown, timeout: number): Promise<unknown> {
    try {
      return this.#callBy(caller, 'call', to, request, timeout)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Asks a process to end in its turn; resolves once it is dead.
   * @throws BeamlineError NOPROC when it is dead already, or ends for another reason
   */
  async stop(caller: Cell, to: Destination, reason: ExitReason, timeout: number): Promise<void> {
    try {
      await this.#callBy(caller, 'system', to, { op: 'stop', reason } satisfies SystemRequest, timeout)
    } catch (error) {
      const ended = error instanceof BeamlineError && error.code === 'NOPROC' && error.cause !== undefined
      if (!ended || !isDeepStrictEqual(error.details['reason'], sendable(reason))) throw error
    }
  }

  #callBy(caller: Cell, kind: Kind, to: Destination, request: unknown, timeout: number): Promise<unknown> {
    this.#host.assertOpen()
    const callee = this.#host.resolve(to, 'quiet')
    const verb = kind === 'call' ? 'the call to' : 'the stop of'
    if (callee === undefined) throw exited(`${verb} ${nameOf(to)}`, 'noproc')
    if (callee.equals(caller.pid)) {
      const text = `${verb} ${nameOf(to)} can never be answered, as a process that calls itself waits for itself: call the method directly`
      throw new BeamlineError('NOPROC', text, { details: { reason: 'calling_self' } })
    }
    if (!caller.alive) return caller.over()
    return this.#ask(
      new Asked(this, kind, this.#host.ref(), caller.pid, caller.ties, callee, timeout, verb, to),
      request,
    )
  }

  /** Puts a request of the system's own to a process, for this thread. */
  async system(to: Destination, request: SystemRequest, timeout: number): Promise<unknown> {
    this.#host.assertOpen()
    const callee = this.#host.resolve(to)
    const asker = this.#host.pidOf(this.#host.thread)
    const ref = this.#host.ref()
    return this.#ask(new Asked(this, 'system', ref, asker, undefined, callee, timeout, `${request.op} of`, to), request)
  }

  /** Kills a process for the thread itself; resolves once it is dead. */
  async kill(pid: Pid): Promise<void> {
    if (this.#isHere(pid)) return this.#host.cell(pid)?.exit('killed')
    const from = this.#host.pidOf(this.#host.thread)
    this.#signal(pid, { kind: 'exit', to: pid.raw, from: from.raw, reason: pack('kill'), linked: false })
    this.#host.control.suspect(pid)
    // Behind the kill: it is the dead who answer this.
    const asked = new Asked(this, 'system', this.#host.ref(), from, undefined, pid, Number.POSITIVE_INFINITY, 'kill of')
    await this.#ask(asked, { op: 'getState' } satisfies SystemRequest).catch(() => {})
  }

  /** A call in the stead of a process that does not run yet: it is settled even if that process dies meanwhile. */
  async callFor(asker: Pid, callee: Pid, request: unknown): Promise<unknown> {
    const ref = this.#host.ref()
    const timeout = Number.POSITIVE_INFINITY
    return this.#ask(new Asked(this, 'call', ref, asker, undefined, callee, timeout, 'the call to'), request)
  }

  #ask(asked: Asked, request: unknown): Promise<unknown> {
    const { kind, ref, asker, callee } = asked
    const here = this.#isHere(callee)
    // Before anything begins: only this finds out that it cannot be sent.
    const body = here ? copyHere(request) : packed(request)
    const answer = this.#host.calls.open(ref, asked)
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

  #askHere(kind: Kind, from: From & { readonly callee: Pid }, request: unknown): boolean {
    const cell = this.#host.cell(from.callee)
    if (cell !== undefined) this.ask(cell, kind, from, request)
    return cell !== undefined
  }

  /** Puts a call into the mailbox of a process on this thread, and remembers that it wants an answer. */
  ask(cell: Cell, kind: Kind, from: From, request: unknown): void {
    cell.ties.unanswered.add(from)
    if (kind === 'call') cell.deliver(new Call(from, request))
    else cell.obey(new SystemCall(from, request as SystemRequest))
  }

  /** Answers a call, for its callee or in its stead; `by` is undefined when the host itself answers. */
  reply(by: Cell | undefined, from: From, outcome: 'value' | 'error' | 'exit', value: unknown): void {
    if (by !== undefined && !by.alive) return
    if (this.#isHere(from.pid)) this.#host.settle(from.ref.serial, outcome, copy(value))
    else this.#signal(from.pid, { kind: 'reply', ref: from.ref.raw, outcome, body: pack(value) })
    // Last: an answer that cannot be sent leaves the call open, for its callee's exit to settle.
    if (from.callee !== undefined) this.forget(from.callee, from.ref)
  }

  /** A signal could not leave its batch: whoever waits for what it asks, or answers, is told. */
  lost(signal: Signal, error: BeamlineError): void {
    if (!(signal.kind === 'call' || signal.kind === 'system' || signal.kind === 'spawn' || signal.kind === 'reply'))
      return
    const ref = Ref.fromRaw(this.#host.node, signal.ref)
    this.reply(undefined, { pid: this.#host.pidOf(ref.thread), ref, callee: undefined }, 'error', error)
  }

  /** The callee need not remember the call any more. */
  forget(callee: Pid, ref: Ref): void {
    if (this.#isHere(callee)) this.#host.cell(callee)?.ties.unanswered.remove(ref)
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
    if (!cell.alive || target.equals(cell.pid) || cell.ties.links.has(target.toString())) return
    cell.ties.links.set(target.toString(), target)
    cell.ties.unlinking.delete(target.toString())
    if (this.#isHere(target)) {
      const other = this.#host.cell(target)
      if (other === undefined) cell.receiveExit(target, 'noproc', true)
      else other.ties.links.set(cell.pid.toString(), cell.pid)
    } else if (!this.#signal(target, { kind: 'link', to: target.raw, from: cell.pid.raw })) {
      cell.receiveExit(target, 'noproc', true)
    }
  }

  unlink(cell: Cell, to: Pid): void {
    const target = this.#pid(to)
    if (!cell.ties.links.delete(target.toString())) return
    if (this.#isHere(target)) {
      this.#host.cell(target)?.ties.links.delete(cell.pid.toString())
      return
    }
    const ref = this.#host.ref()
    const sent = this.#signal(target, { kind: 'unlink', to: target.raw, from: cell.pid.raw, ref: ref.raw })
    if (sent) cell.ties.unlinking.set(target.toString(), { pid: target, ref })
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
    cell.ties.monitors.add({ pid, ref })
    if (this.#isHere(pid)) {
      const other = this.#host.cell(pid)
      if (other === undefined) cell.receiveDown(ref, pid, 'noproc')
      else other.ties.watchers.add({ pid: cell.pid, ref })
    } else if (!this.#signal(pid, { kind: 'monitor', to: pid.raw, from: cell.pid.raw, ref: ref.raw })) {
      cell.receiveDown(ref, pid, 'noproc')
    }
    return ref
  }

  demonitor(cell: Cell, ref: Ref, flush: boolean): void {
    const pid = ref.node === this.#host.node ? cell.ties.monitors.remove(ref)?.pid : undefined
    if (pid !== undefined) {
      if (this.#isHere(pid)) this.#host.cell(pid)?.ties.watchers.remove(ref)
      else this.#signal(pid, { kind: 'demonitor', to: pid.raw, ref: ref.raw })
    }
    if (!flush) return
    const queued = cell.inbox.find((message) => isDown(message) && ref.equals(message.ref), 0)
    if (queued >= 0) cell.inbox.remove(queued)
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

/** A copy of a message that stays on this thread. */
function copyHere(message: unknown, transfer?: Transfer): unknown {
  return message instanceof MethodCall ? message.copied() : copy(message, transfer)
}

function packed(message: unknown, transfer?: Transfer): Payload {
  return pack(message instanceof MethodCall ? message.plain : message, transfer)
}
