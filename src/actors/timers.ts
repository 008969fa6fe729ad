import { BeamlineError } from '../errors.js'
import type { Timer } from '../threads/clock.js'
import { copy } from '../threads/payload.js'
import type { Ref } from '../threads/pid.js'
import type { Cell } from './cell.js'
import type { Host } from './host.js'
import { badDestination, type Destination, pidIn } from './process.js'
import { isVia } from './via.js'

/** Names a timer of `sendAfter`. */
export type TimerRef = Ref

interface Running {
  readonly timer: Timer
  readonly due: number
}

/** The `sendAfter` timers of one thread. */
export class Timers {
  readonly #host: Host
  readonly #running = new Map<number, Running>()

  constructor(host: Host) {
    this.#host = host
  }

  start(sender: Cell, to: Destination, message: unknown, ms: number): TimerRef {
    if (typeof ms !== 'number' || Number.isNaN(ms) || ms < 0) {
      throw new BeamlineError('INVALID_TYPE', `sendAfter: ${ms} is no delay: give milliseconds, 0 or more`)
    }
    if (typeof to !== 'string' && !isVia(to) && pidIn(to) === undefined) throw badDestination(to)
    const ref = this.#host.ref()
    if (!sender.alive) return ref
    const kept = copy(message)
    const fire = () => {
      this.#running.delete(ref.serial)
      const pid = this.#host.resolve(to, 'quiet')
      if (pid !== undefined) this.#host.router.message(undefined, pid, kept, false)
    }
    this.#running.set(ref.serial, { timer: this.#host.clock.setTimeout(fire, ms), due: this.#host.clock.now() + ms })
    return ref
  }

  cancel(ref: TimerRef): number | false {
    const running = ref.thread === this.#host.thread ? this.#running.get(ref.serial) : undefined
    if (running === undefined) return false
    this.#host.clock.clearTimeout(running.timer)
    this.#running.delete(ref.serial)
    return Math.max(0, Math.round(running.due - this.#host.clock.now()))
  }

  clear(): void {
    for (const { timer } of this.#running.values()) this.#host.clock.clearTimeout(timer)
    this.#running.clear()
  }
}
