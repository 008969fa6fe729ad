import type { Wire } from '../threads/wire.js'
import type { Behaviour, BehaviourFn } from './behaviour.js'
import type { Cell } from './cell.js'
import { type ExitReason, reasonFrom } from './exit-reason.js'

/** How a process that is a behaviour goes about its messages: one at a time. */
export class Conduct {
  /** Undefined until it is made. */
  behaviour: Behaviour | undefined
  /** Requests of the system's own that wait in the mailbox. */
  systemCalls = 0
  readonly #cell: Cell
  #busy = true

  constructor(cell: Cell) {
    this.#cell = cell
  }

  /** Whether it works at something, so that its next message must wait. */
  get busy(): boolean {
    return this.#busy
  }

  async become(make: BehaviourFn, args: unknown, ready: (() => void) | undefined): Promise<void> {
    if (!this.#cell.alive) return
    try {
      const behaviour = await make(this.#cell.process, args)
      if (!this.#cell.alive) return
      this.behaviour = behaviour
      ready?.()
      if (behaviour.begin !== undefined) return this.#settle(behaviour, Promise.resolve(behaviour.begin()))
      this.#busy = false
      this.#cell.schedule()
    } catch (thrown) {
      if (this.behaviour === undefined) this.#cell.exit(reasonFrom(thrown))
      else await this.fail(this.behaviour, thrown)
    }
  }

  handle(behaviour: Behaviour, message: unknown): void {
    try {
      const pending = behaviour.handle(message)
      if (pending === undefined) return
      this.#busy = true
      void this.#settle(behaviour, pending)
    } catch (thrown) {
      void this.fail(behaviour, thrown)
    }
  }

  takeWire(behaviour: Behaviour, wire: Wire): void {
    const { batch } = this.#cell.host
    try {
      if (batch.open && !behaviour.trusted) batch.suspend(() => behaviour.takeWire?.(wire))
      else behaviour.takeWire?.(wire)
    } catch (thrown) {
      void this.fail(behaviour, thrown)
    }
  }

  async #settle(behaviour: Behaviour, pending: Promise<void>): Promise<void> {
    try {
      await pending
      this.#busy = false
      this.#cell.schedule()
    } catch (thrown) {
      await this.fail(behaviour, thrown)
    }
  }

  /** Ends the process because its code threw, or in place of that. */
  async fail(behaviour: Behaviour, thrown: unknown): Promise<void> {
    this.#busy = true
    const reason: ExitReason = reasonFrom(thrown)
    try {
      if (this.#cell.alive) await behaviour.terminate?.(reason)
      this.#cell.exit(reason)
    } catch (inTerminate) {
      this.#cell.exit(reasonFrom(inTerminate))
    }
  }
}
