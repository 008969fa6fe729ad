import { MAIN } from '../threads/mesh.js'
import { unpack } from '../threads/payload.js'
import { Pid, type RawPid, Ref } from '../threads/pid.js'
import type { ProcessSignal, Signal, SpawnSignal, ThreadSignal } from '../threads/signal.js'
import type { Wire } from '../threads/wire.js'
import type { ExitReason } from './exit-reason.js'
import type { Host } from './host.js'
import { Cast } from './messages.js'

/** Takes the signals that arrive on a thread to the processes they are for. */
export class Receiver {
  readonly #host: Host
  readonly #control: (signal: ThreadSignal, from: number) => void

  /** @param control takes what is about threads, not processes */
  constructor(host: Host, control: (signal: ThreadSignal, from: number) => void) {
    this.#host = host
    this.#control = control
  }

  receive(signal: Exclude<Signal, Wire>, from: number): void {
    switch (signal.kind) {
      case 'message':
      case 'call':
      case 'system':
      case 'forget':
      case 'exit':
      case 'link':
      case 'unlink':
      case 'unlinked':
      case 'monitor':
      case 'demonitor':
      case 'down':
        return this.#process(signal)
      case 'spawn':
      case 'opened':
      case 'cancel':
      case 'spawned':
        return this.#spawn(signal)
      case 'reply':
        return this.#host.settle(signal.ref[1], signal.outcome, unpack(signal.body))
      case 'dead-letter':
        return this.#host.deadLetters.hear(this.#pid(signal.to), unpack(signal.body))
      default:
        return this.#control(signal, from)
    }
  }

  #process(signal: ProcessSignal): void {
    const host = this.#host
    const to = this.#pid(signal.to)
    const cell = host.cell(to)
    switch (signal.kind) {
      case 'message': {
        const body = unpack(signal.body)
        if (cell === undefined || !cell.admits(signal.alias)) host.deadLetters.post(to, body)
        else cell.deliver(signal.cast ? new Cast(body) : body)
        return
      }
      case 'call':
      case 'system': {
        const from = { pid: this.#pid(signal.from), ref: Ref.fromRaw(host.node, signal.ref), callee: to }
        if (cell === undefined) host.router.reply(undefined, from, 'exit', 'noproc')
        else host.router.ask(cell, signal.kind, from, unpack(signal.body))
        return
      }
      case 'forget':
        cell?.ties.unanswered.take(signal.ref[0], signal.ref[1])
        return
      case 'exit':
        cell?.receiveExit(this.#pid(signal.from), unpack(signal.reason) as ExitReason, signal.linked)
        return
      case 'link': {
        const from = this.#pid(signal.from)
        if (cell === undefined) host.router.exit(to, from, 'noproc', true)
        else if (!cell.ties.unlinking.has(from.toString())) cell.ties.links.set(from.toString(), from)
        return
      }
      case 'unlink': {
        const from = this.#pid(signal.from)
        cell?.ties.links.delete(from.toString())
        host.router.unlinked(from, to, Ref.fromRaw(host.node, signal.ref))
        return
      }
      case 'unlinked': {
        const from = this.#pid(signal.from).toString()
        if (cell?.ties.unlinking.get(from)?.ref.equals(Ref.fromRaw(host.node, signal.ref)))
          cell.ties.unlinking.delete(from)
        return
      }
      case 'monitor': {
        const watcher = { pid: this.#pid(signal.from), ref: Ref.fromRaw(host.node, signal.ref) }
        if (cell === undefined) host.router.down(watcher.pid, watcher.ref, to, 'noproc')
        else cell.ties.watchers.add(watcher)
        return
      }
      case 'demonitor':
        cell?.ties.watchers.take(signal.ref[0], signal.ref[1])
        return
      case 'down':
        cell?.receiveDown(
          Ref.fromRaw(host.node, signal.ref),
          this.#pid(signal.from),
          unpack(signal.reason) as ExitReason,
        )
        return
    }
  }

  #spawn(signal: SpawnSignal): void {
    const host = this.#host
    if (signal.kind === 'spawn') {
      if (signal.isolated && host.thread === MAIN) host.control.openIsolated(signal)
      else void host.spawner.receive(signal)
    } else if (signal.kind === 'cancel') {
      if (signal.isolated) host.control.closeIsolated(signal.ref)
      else host.spawner.cancel(Ref.fromRaw(host.node, signal.ref))
    } else if (signal.kind === 'opened') host.calls.move(signal.ref[1], signal.thread)
    else host.spawner.born(Ref.fromRaw(host.node, signal.ref), this.#pid(signal.pid))
  }

  #pid(raw: RawPid): Pid {
    return Pid.fromRaw(this.#host.node, raw)
  }
}
