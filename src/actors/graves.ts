import type { Timer } from '../threads/clock.js'
import { unpack } from '../threads/payload.js'
import { Pid } from '../threads/pid.js'
import type { ThreadSignal } from '../threads/signal.js'
import type { Cell } from './cell.js'
import type { ExitReason } from './exit-reason.js'
import type { Host } from './host.js'
import type { Ties } from './ties.js'

type Death = ThreadSignal & { kind: 'thread-down' }

/** Milliseconds to wait for a dead thread's link to say that it is closed. */
const GRACE = 250

/**
 * The deaths of other threads. Two things are known of one, in any order: main tells the reason, and the link to it
 * closes after the thread's last signal. Only when both are in are its processes reported dead, so that nobody hears of
 * a death before the dead one's last words.
 */
export class Graves {
  readonly #host: Host
  readonly #closed = new Set<number>()
  readonly #open = new Map<number, { readonly death: Death; readonly timer: Timer }>()

  constructor(host: Host) {
    this.#host = host
  }

  closed(thread: number): void {
    if (this.#host.mesh.isLost(thread)) return
    const grave = this.#open.get(thread)
    if (grave === undefined) this.#closed.add(thread)
    else this.#bury(grave.death)
  }

  dig(death: Death): void {
    const { thread } = death
    if (this.#closed.has(thread) || !this.#host.mesh.connected(thread)) return this.#bury(death)
    this.#open.set(thread, { death, timer: this.#host.clock.setTimeout(() => this.#bury(death), GRACE) })
  }

  /** Nobody is left here who could hear of a death. */
  clear(): void {
    for (const { timer } of this.#open.values()) this.#host.clock.clearTimeout(timer)
    this.#open.clear()
  }

  #bury(death: Death): void {
    const { thread } = death
    const grave = this.#open.get(thread)
    if (grave !== undefined) this.#host.clock.clearTimeout(grave.timer)
    this.#open.delete(thread)
    this.#closed.delete(thread)
    this.#host.mesh.lose(thread)
    const reasonOf = this.#reasons(death)
    for (const cell of [...this.#host.cells.values()])
      if (cell.tied !== undefined) bereave(cell, cell.tied, thread, reasonOf)
    this.#host.calls.failThread(thread, reasonOf)
    this.#host.scheduler.drain()
  }

  #reasons(death: Death): (pid: Pid | undefined) => ExitReason {
    const pids = death.pids.map((raw) => Pid.fromRaw(this.#host.node, raw))
    const reason = unpack(death.reason) as ExitReason
    const others = unpack(death.others) as ExitReason
    // Who was dead before, and was asked for too late to be told by itself, is dead of neither.
    const lived = ({ slot, generation }: Pid) => death.living.get(slot) === generation
    return (pid) => {
      // One that obeyed `kill` may have been dead by a moment, its own word of that lost with the thread.
      if (pids.some((one) => one.equals(pid))) return reason
      return pid === undefined || lived(pid) ? others : 'noproc'
    }
  }
}

/** Nothing ties `cell` to a thread that is gone: it hears what its ties were for. */
function bereave(cell: Cell, tied: Ties, thread: number, reasonOf: (pid: Pid) => ExitReason): void {
  const { unanswered, watchers, monitors, unlinking, links } = tied
  for (const { pid, ref } of unanswered.values()) if (pid.thread === thread) unanswered.remove(ref)
  for (const { pid, ref } of watchers.values()) if (pid.thread === thread) watchers.remove(ref)
  for (const { pid, ref } of monitors.values()) if (pid.thread === thread) cell.receiveDown(ref, pid, reasonOf(pid))
  for (const [key, { pid }] of unlinking.entries()) if (pid.thread === thread) unlinking.delete(key)
  for (const pid of links.values()) if (pid.thread === thread) cell.receiveExit(pid, reasonOf(pid), true)
}
