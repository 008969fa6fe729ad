import type { Timer } from '../threads/clock.js'
import { Process } from './process.js'

/** In the mailbox: nothing has come for as long as was asked. */
export class Idle {
  readonly type = 'IDLE'
}

/** Tells a process by a message of its own when no other has come for a while. */
export class IdleTimer {
  readonly #self: Process
  #timer: Timer | undefined
  /** The message that counts; one that was overtaken does not. */
  #expected: Idle | undefined
  #hearsOfExit = false

  constructor(self: Process) {
    this.#self = self
  }

  start(ms: number): void {
    this.cancel()
    if (ms === Number.POSITIVE_INFINITY) return
    if (!this.#hearsOfExit) this.#self.signal.addEventListener('abort', () => this.cancel(), { once: true })
    this.#hearsOfExit = true
    const idle = new Idle()
    const host = Process.hostOf(this.#self)
    this.#expected = idle
    this.#timer = host.clock.setTimeout(() => host.cell(this.#self.pid)?.deliver(idle, true), ms)
  }

  /** Any message cancels it. @returns whether this one is the message of the timer itself, and not overtaken */
  takes(message: unknown): boolean {
    const idle = message === this.#expected
    this.cancel()
    return idle
  }

  cancel(): void {
    if (this.#timer !== undefined) Process.hostOf(this.#self).clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#expected = undefined
  }
}
